import { logrotateSchema } from '../../policy/resource-schemas/logrotate.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { ResourceType } from '../contract.ts';
import {
  applyManaged,
  compareManaged,
  type ManagedFile,
  type ManagedFileState,
  managedHeader,
  observeManaged,
} from '../cross/managed-file.ts';
import { ParameterReader } from '../parameters.ts';

const rotateLimit = 100_000;

/** How log files are rotated: one file in /etc/logrotate.d. */
export const logrotateType: ResourceType<ManagedFile, ManagedFileState> = {
  name: 'logrotate',
  parameters: logrotateSchema.parameters,
  confinable: true,
  timeoutMs: 30_000,
  parse,
  observe: (file, { platform }) => observeManaged(file.path, platform),
  compare: compareManaged,
  apply: (file, state, _drift, context) => applyManaged(file, state, context),
  targets: ({ path, content }) => [
    { kind: 'path', value: path, effect: content === undefined ? 'remove' : 'write' },
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): ManagedFile {
  const reader = new ParameterReader(logrotateSchema.parameters, values);
  const path = `/etc/logrotate.d/${reader.text('name') ?? ''}`;
  const content = reader.absent() ? undefined : render(reader);
  reader.finish();
  return { path, content };
}

function render(reader: ParameterReader<typeof logrotateSchema.parameters>): string {
  const logs = reader.list('path') ?? [];
  if (logs.length === 0) reader.problem('path', 'is required for state present');
  const script = reader.text('postrotate')?.replace(/\n+$/, '');
  if (script?.split('\n').some((line) => /^\s*endscript\s*$/.test(line)))
    reader.problem('postrotate', 'must not hold the line endscript');
  if (script !== undefined && /[\r\0]/.test(script))
    reader.problem('postrotate', 'must hold lines of text');
  const rotate = reader.integer('rotate', 0, rotateLimit) ?? 4;
  const maxage = reader.integer('maxage', 0, rotateLimit);
  const size = reader.text('size');
  const create = reader.text('create');
  const flag = (name: 'compress' | 'delaycompress' | 'missingok') =>
    `${reader.boolean(name) === false ? 'no' : ''}${name}`;
  const directives = [
    reader.text('frequency') ?? 'weekly',
    `rotate ${rotate}`,
    flag('compress'),
    ...(reader.boolean('compress') === false ? [] : [flag('delaycompress')]),
    flag('missingok'),
    reader.boolean('notifempty') === false ? 'ifempty' : 'notifempty',
    ...(reader.boolean('copytruncate') === true ? ['copytruncate'] : []),
    ...(size === undefined ? [] : [`size ${size}`]),
    ...(maxage === undefined ? [] : [`maxage ${maxage}`]),
    ...(create === undefined ? [] : [`create ${create}`]),
    ...(script === undefined
      ? []
      : ['postrotate', ...script.split('\n').map((line) => `    ${line}`), 'endscript']),
  ];
  reader.enumeration('frequency', ['hourly', 'daily', 'weekly', 'monthly', 'yearly']);
  return [
    managedHeader,
    `${logs.map((log) => `"${log}"`).join(' ')} {`,
    ...directives.map((line) => `    ${line}`),
    '}',
    '',
  ].join('\n');
}
