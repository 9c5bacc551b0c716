import type { FileStatus } from '../../platform/platform.ts';
import { cronSchema } from '../../policy/resource-schemas/cron.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { clear, makeDirectories, refuseFilledDirectory } from '../cross/places.ts';
import { controlCharacters, ParameterReader } from '../parameters.ts';
import { scheduleProblem } from './cron-schedule.ts';

export interface CronSpec {
  /** Declared path of the file. */
  readonly path: string;
  /** The whole file; undefined when it is to be absent. */
  readonly content: string | undefined;
}

export interface CronState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  /** Undefined when there is no regular file. */
  readonly content: string | undefined;
  /** Owner that cron demands of its files; undefined where the agent cannot give files away. */
  readonly owner: number | undefined;
}

const directory = '/etc/cron.d';
const fileMode = 0o644;
const readLimit = 1024 * 1024;
/** cron(8) ignores files whose names hold anything else. */
const namePattern = /^[A-Za-z0-9_-]{1,200}$/;
const userPattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/;
const assignmentPattern = /^[A-Za-z_][A-Za-z0-9_]*=/;
/** cron(8) reads no longer command. */
const commandLimit = 998;

/** One job as one file in /etc/cron.d, compared byte by byte. */
export const cronType: ResourceType<CronSpec, CronState> = {
  name: 'cron',
  parameters: cronSchema.parameters,
  confinable: true,
  timeoutMs: 30_000,
  parse,
  observe,
  compare,
  apply,
  targets: (spec) => [
    { kind: 'path', value: spec.path, effect: spec.content === undefined ? 'remove' : 'write' },
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): CronSpec {
  const reader = new ParameterReader(cronSchema.parameters, values);
  const name = reader.text('name') ?? '';
  const absent = reader.enumeration('state', ['present', 'absent']) === 'absent';
  if (name !== '' && !namePattern.test(name))
    reader.problem('name', 'may hold only letters, digits, "_" and "-": cron ignores other files');
  const content = absent ? undefined : render(reader);
  reader.finish();
  return { path: `${directory}/${name}`, content };
}

/** "%" in a command is a line break for cron, as in every crontab; it is left as declared. */
function render(reader: ParameterReader): string {
  const names = ['minute', 'hour', 'day', 'month', 'weekday'] as const;
  const given = reader.text('schedule')?.trim().replace(/\s+/g, ' ');
  const schedule = given ?? names.map((name) => reader.text(name)?.trim() ?? '*').join(' ');
  const problem = scheduleProblem(schedule);
  if (problem !== undefined) reader.problem(given === undefined ? 'minute' : 'schedule', problem);
  const user = reader.text('user') ?? 'root';
  if (!userPattern.test(user)) reader.problem('user', 'is no user name');
  const command = reader.text('command') ?? '';
  if (command === '') reader.problem('command', 'is required for state present');
  if (command.length > commandLimit)
    reader.problem('command', `exceeds ${commandLimit} characters`);
  if (controlCharacters.test(command)) reader.problem('command', 'must be one line');
  const environment = reader.list('environment') ?? [];
  if (environment.some((one) => !assignmentPattern.test(one) || controlCharacters.test(one)))
    reader.problem('environment', 'must be KEY=VALUE, each on one line');
  return [
    '# Managed by vigo; changes made here are undone.',
    ...environment,
    `${schedule} ${user} ${command}`,
    '',
  ].join('\n');
}

async function observe(spec: CronSpec, { platform }: ResourceContext): Promise<CronState> {
  const path = await platform.paths.resolve(spec.path);
  const status = await platform.files.status(path);
  await refuseFilledDirectory(spec.path, path, status, 'file', platform);
  const regular = status?.kind === 'file' && status.size <= readLimit;
  const content = regular
    ? new TextDecoder().decode(await platform.files.read(path, readLimit))
    : undefined;
  const privileged = platform.host.effectiveUid === 0 && !platform.paths.confined;
  return { path, status, content, owner: privileged ? 0 : undefined };
}

function compare(spec: CronSpec, state: CronState): Drift {
  const { status } = state;
  if (spec.content === undefined)
    return status === undefined
      ? { action: 'none', reason: 'absent as declared' }
      : { action: 'deleted', reason: `${spec.path} exists` };
  const diff = lines(state.content, '-') + lines(spec.content, '+');
  if (status === undefined)
    return { action: 'created', reason: `${spec.path} does not exist`, diff };
  if (status.kind !== 'file')
    return { action: 'updated', reason: `${spec.path} is a ${status.kind}, not a file`, diff };
  if (state.content !== spec.content)
    return { action: 'updated', reason: `the content of ${spec.path} differs`, diff };
  if (status.mode !== fileMode)
    return { action: 'updated', reason: `mode is ${status.mode.toString(8)}, not 644` };
  if (state.owner !== undefined && (status.uid !== state.owner || status.gid !== state.owner))
    return { action: 'updated', reason: `owner is ${status.uid}:${status.gid}, not 0:0` };
  return { action: 'none', reason: 'the file is as declared' };
}

/** Jobs are short, so the whole old and the whole new file are shown. */
function lines(content: string | undefined, sign: string): string {
  if (content === undefined || content === '') return '';
  return content.replace(/\n$/, '').replace(/^/gm, sign).concat('\n');
}

async function apply(
  spec: CronSpec,
  state: CronState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { files, paths } = context.platform;
  const replaced = state.status?.kind !== 'file' || spec.content === undefined;
  if (replaced) await clear(state.path, state.status, context);
  else await context.snapshot(state.path);
  if (spec.content === undefined) return;
  await makeDirectories(await paths.resolve(directory, { followLast: true }), context.platform);
  await files.writeAtomic(state.path, new TextEncoder().encode(spec.content), {
    mode: fileMode,
    ...(state.owner === undefined ? {} : { uid: state.owner, gid: state.owner }),
  });
}
