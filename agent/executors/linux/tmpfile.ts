import { AgentError } from '../../errors.ts';
import type { FileStatus } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { tmpfileSchema } from '../../policy/resource-schemas/tmpfile.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import {
  applyManaged,
  compareManaged,
  joinDrifts,
  type ManagedFile,
  type ManagedFileState,
  managedHeader,
  observeManaged,
} from '../cross/managed-file.ts';
import { modeDrift, type OwnerIds, ownerDrift, ownerIds } from '../cross/ownership.ts';
import { readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import { mustRun } from '../unix/tool.ts';

export interface TmpfileSpec {
  readonly file: ManagedFile;
  /** What the line makes at once; undefined when it makes nothing that can be looked for. */
  readonly made:
    | {
        readonly path: string;
        readonly kind: FileStatus['kind'];
        readonly mode: number | undefined;
        readonly owner: string | undefined;
        readonly group: string | undefined;
      }
    | undefined;
}

export interface TmpfileState {
  readonly file: ManagedFileState;
  readonly made: FileStatus | undefined;
  readonly ids: OwnerIds;
}

/** Types of tmpfiles.d(5) that leave something behind, and what. */
const kinds: Readonly<Record<string, FileStatus['kind']>> = {
  d: 'directory',
  D: 'directory',
  v: 'directory',
  q: 'directory',
  Q: 'directory',
  f: 'file',
  F: 'file',
  L: 'symlink',
  p: 'other',
  c: 'other',
  b: 'other',
};
const needsArgument = new Set(['L', 'C', 'c', 'b', 'w', 't', 'a', 'h']);

/**
 * A line of tmpfiles.d in a file of its own, carried out at once. What it makes is looked at too, so
 * a directory that somebody removed comes back before the next boot.
 */
export const tmpfileType: ResourceType<TmpfileSpec, TmpfileState> = {
  name: 'tmpfile',
  parameters: tmpfileSchema.parameters,
  confinable: false,
  timeoutMs: 120_000,
  parse,
  observe,
  compare,
  apply,
  targets: ({ file, made }) => [
    {
      kind: 'path',
      value: file.path,
      effect: file.content === undefined ? 'remove' : 'write',
    },
    ...(made === undefined ? [] : [{ kind: 'path', value: made.path, effect: 'write' } as const]),
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): TmpfileSpec {
  const reader = new ParameterReader(tmpfileSchema.parameters, values);
  const file = `/etc/tmpfiles.d/${reader.text('name') ?? ''}.conf`;
  if (reader.absent()) {
    reader.finish();
    return { file: { path: file, content: undefined }, made: undefined };
  }
  const path = readPath(reader, 'path');
  const type = reader.text('entry_type') ?? 'd';
  const mode = reader.text('mode') ?? '0755';
  const [user, group] = [reader.text('user') ?? '-', reader.text('group') ?? '-'];
  const argument = reader.text('argument');
  if (path === '') reader.problem('path', 'is required for state present');
  if (needsArgument.has(type[0]!) && argument === undefined)
    reader.problem('argument', `is required for entry_type ${type[0]}`);
  reader.finish();
  const words = [type, quoted(path), type.startsWith('L') ? '-' : mode, user, group];
  const line = [
    ...words,
    reader.text('age') ?? '-',
    ...(argument === undefined ? [] : [escaped(argument)]),
  ];
  const kind = kinds[type[0]!];
  return {
    file: { path: file, content: `${managedHeader}\n${line.join(' ')}\n` },
    made:
      kind === undefined || /[*?[\]]/.test(path) || path.includes('%')
        ? undefined
        : {
            path,
            kind,
            mode: kind === 'symlink' || mode === '-' ? undefined : Number.parseInt(mode, 8),
            owner: user === '-' ? undefined : user,
            group: group === '-' ? undefined : group,
          },
  };
}

/** One word of tmpfiles.d: in double quotes, with C escapes. */
function quoted(text: string): string {
  return /^[\w/.*?@:+-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The argument is the rest of the line; a backslash begins an escape in it. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

async function observe(spec: TmpfileSpec, { platform }: ResourceContext): Promise<TmpfileState> {
  const file = await observeManaged(spec.file.path, platform);
  if (spec.made === undefined)
    return { file, made: undefined, ids: { uid: undefined, gid: undefined } };
  const ids = await ownerIds(spec.made, platform);
  return {
    file,
    made: await platform.files.status(await platform.paths.resolve(spec.made.path)),
    ids,
  };
}

function compare(spec: TmpfileSpec, state: TmpfileState): Drift {
  const file = compareManaged(spec.file, state.file);
  const wrong = madeDrift(spec, state);
  if (wrong === undefined) return file;
  const made: Drift = { action: 'updated', reason: `${spec.made!.path} ${wrong}` };
  return file.action === 'none' ? made : { ...joinDrifts([file, made]), action: file.action };
}

function madeDrift({ made }: TmpfileSpec, state: TmpfileState): string | undefined {
  if (made === undefined) return undefined;
  const status = state.made;
  if (status === undefined) return 'is missing';
  // systemd-tmpfiles leaves what is of another kind, so it is not a drift that can be repaired.
  if (status.kind !== made.kind) return undefined;
  const drift = [...modeDrift(made.mode, status), ...ownerDrift(state.ids, status)];
  return drift.length === 0 ? undefined : `has ${drift.join(', ')}`;
}

async function apply(
  spec: TmpfileSpec,
  state: TmpfileState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  if (compareManaged(spec.file, state.file).action !== 'none')
    await applyManaged(spec.file, state.file, context);
  if (spec.file.content === undefined) return;
  try {
    await mustRun(
      ['systemd-tmpfiles', '--create', spec.file.path],
      context,
      'AGENT_TMPFILE_FAILED',
    );
  } catch (thrown) {
    // Without it the file still does its work at the next boot of a system that has it.
    const missing = thrown instanceof PlatformError && thrown.code === 'ENOENT';
    if (missing && spec.made === undefined) return;
    throw missing
      ? new AgentError('AGENT_COMMAND_MISSING', { detail: 'systemd-tmpfiles' })
      : thrown;
  }
}
