import { selinuxSchema } from '../../policy/resource-schemas/selinux.ts';
import { labelledPlace } from '../../policy/resource-schemas/selinux-path.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import { type BooleanSpec, observeBoolean } from './selinux/boolean.ts';
import { configFile, type Finding } from './selinux/host.ts';
import { type FileType, type LabelSpec, observeLabel } from './selinux/label.ts';
import { type ModeSpec, observeMode } from './selinux/mode.ts';
import { observePort, type PortSpec } from './selinux/port.ts';

type SelinuxSpec = ModeSpec | BooleanSpec | LabelSpec | PortSpec;
type Reader = ParameterReader<typeof selinuxSchema.parameters>;

/**
 * One thing of SELinux. Read from selinuxfs, /etc/selinux and libsemanage's records; mode and running
 * booleans are written to selinuxfs, rules of the local policy go through semanage.
 */
export const selinuxType: ResourceType<SelinuxSpec, Finding> = {
  name: 'selinux',
  parameters: selinuxSchema.parameters,
  confinable: false,
  timeoutMs: 300_000,
  parse,
  observe,
  compare: (_spec, { drift }) => drift,
  apply: (_spec, { repair }, _drift, context) => repair(context),
  targets: (spec) => {
    if (spec.kind === 'mode') return [{ kind: 'path', value: configFile, effect: 'write' }];
    return spec.kind === 'label' ? [{ kind: 'path', value: spec.place.stem, effect: 'write' }] : [];
  },
};

const subjects = ['mode', 'boolean', 'path', 'port'] as const;

function parse(values: Readonly<Record<string, PolicyValue>>): SelinuxSpec {
  const reader: Reader = new ParameterReader(selinuxSchema.parameters, values);
  const given = subjects.filter((name) => reader.text(name) !== undefined);
  if (given.length !== 1)
    reader.problem(given[1] ?? 'mode', 'exactly one of mode, boolean, path and port is needed');
  const spec = readSpec(reader, given[0]);
  reader.finish();
  return spec;
}

function readSpec(reader: Reader, subject: (typeof subjects)[number] | undefined): SelinuxSpec {
  const absent = reader.absent();
  if (subject === 'boolean')
    return {
      kind: 'boolean',
      name: reader.text('boolean') ?? '',
      value: reader.boolean('value') !== false,
      persist: reader.boolean('persist') !== false,
      absent,
    };
  if (subject === 'path') return readLabel(reader, absent);
  if (subject === 'port') {
    const type = reader.text('selinux_type');
    if (!absent && type === undefined) reader.problem('selinux_type', 'is required for a port');
    const port = (reader.text('port') ?? '').replace(':', '-');
    const [low = 0, high = low] = port.split('-').map(Number);
    if (low < 1 || high > 65_535 || low > high) reader.problem('port', 'must be within 1 to 65535');
    return { kind: 'port', port, proto: reader.text('proto') ?? 'tcp', type, absent };
  }
  if (absent) reader.problem('state', 'absent does not go with mode; declare another mode');
  const mode = reader.enumeration('mode', ['enforcing', 'permissive', 'disabled']);
  return { kind: 'mode', mode: mode ?? 'enforcing' };
}

function readLabel(reader: Reader, absent: boolean): LabelSpec {
  const place = labelledPlace(reader.text('path') ?? '');
  const type = reader.text('selinux_type');
  const context = reader.text('context');
  if (place === undefined)
    reader.problem('path', 'must be a path, or an expression that begins with a directory');
  if (!absent && (type === undefined) === (context === undefined))
    reader.problem('selinux_type', 'either selinux_type or context is needed');
  if (context !== undefined && place?.single === false)
    reader.problem('context', 'needs a single path; use selinux_type for an expression');
  return {
    kind: 'label',
    place: place ?? { expression: '', stem: '', single: true, holdsStem: false },
    fileType: reader.enumeration<FileType>('file_type', fileTypeNames) ?? 'any',
    type,
    context,
    absent,
  };
}

const fileTypeNames: readonly FileType[] = [
  'any',
  'file',
  'directory',
  'link',
  'socket',
  'pipe',
  'block',
  'character',
];

function observe(spec: SelinuxSpec, context: ResourceContext): Promise<Finding> {
  if (spec.kind === 'mode') return observeMode(spec, context);
  if (spec.kind === 'boolean') return observeBoolean(spec, context);
  return spec.kind === 'label' ? observeLabel(spec, context) : observePort(spec, context);
}
