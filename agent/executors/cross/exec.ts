import { AgentError } from '../../errors.ts';
import { causeOf } from '../../platform/command.ts';
import type { RunResult } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { execSchema } from '../../policy/resource-schemas/exec.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { durationMs, ParameterReader } from '../parameters.ts';
import { findUser } from './ownership.ts';
import { readPath } from './places.ts';
import { withSecretFile } from './secret-file.ts';

export interface ExecSpec {
  readonly command: string;
  readonly onlyif: string | undefined;
  readonly unless: string | undefined;
  readonly creates: string | undefined;
  readonly stdin: string | undefined;
  /** What the file holds whose path stands for {{secret_file}}. */
  readonly secretFile: string | undefined;
  readonly cwd: string | undefined;
  readonly user: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly returns: readonly number[];
  readonly logOutput: boolean;
  readonly background: boolean;
  readonly nice: number | undefined;
  readonly timeoutMs: number;
}

export interface ExecState {
  /** Why a guard holds the command back. */
  readonly held: string | undefined;
}

const defaultTimeoutMs = 300_000;
const timeoutLimitMs = 24 * 3_600_000;
/** The command's own limit comes first, so that its output is in the report. */
const engineMarginMs = 10_000;
/** POSIX: the shell found no such command. */
const shellNotFound = 127;
const backgroundNice = 19;

/** A shell command, run on each pass unless a guard or a condition holds it back. */
export const execType: ResourceType<ExecSpec, ExecState> = {
  name: 'exec',
  parameters: execSchema.parameters,
  confinable: false,
  timeoutMs: defaultTimeoutMs,
  timeoutOf: (spec) => spec.timeoutMs + engineMarginMs,
  verifiable: false,
  parse,
  observe,
  compare: (_spec, state): Drift =>
    state.held === undefined
      ? { action: 'updated', reason: 'ran the command' }
      : { action: 'skipped', reason: state.held },
  apply,
  targets: (spec) => [
    ...[spec.command, spec.onlyif, spec.unless]
      .filter((value) => value !== undefined)
      .map((value) => ({ kind: 'command', value, effect: 'run' }) as const),
    ...(spec.cwd === undefined
      ? []
      : [{ kind: 'path', value: spec.cwd, effect: 'write' } as const]),
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): ExecSpec {
  const reader = new ParameterReader(execSchema.parameters, values);
  const timeout = durationMs(reader.text('timeout') ?? '');
  if (timeout === undefined || timeout < 1000 || timeout > timeoutLimitMs)
    reader.problem('timeout', 'must be seconds, or 30s, 45m, 4h; from 1 s to 24 h');
  const spec: ExecSpec = {
    command: reader.text('command') ?? '',
    onlyif: reader.text('onlyif'),
    unless: reader.text('unless'),
    creates: reader.text('creates') && readPath(reader, 'creates'),
    stdin: reader.text('stdin'),
    secretFile: reader.text('secret_file'),
    cwd: reader.text('cwd') && readPath(reader, 'cwd'),
    user: reader.text('user'),
    environment: readEnvironment(reader),
    returns: readReturns(reader),
    logOutput: reader.boolean('logoutput') !== false,
    background: reader.boolean('background') === true,
    nice: reader.integer('nice', 0, 19),
    timeoutMs: timeout ?? defaultTimeoutMs,
  };
  if (spec.secretFile !== undefined) {
    if (spec.stdin !== undefined) reader.problem('secret_file', 'excludes stdin');
    if (spec.background) reader.problem('secret_file', 'excludes background');
  }
  for (const name of ['command', 'onlyif', 'unless'] as const)
    if (spec[name]?.includes('\0')) reader.problem(name, 'must not hold NUL');
  reader.finish();
  return spec;
}

function readEnvironment(reader: ParameterReader): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const one of reader.list('environment') ?? []) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=([^\0]*)$/.exec(one);
    if (match === null) reader.problem('environment', 'must be KEY=VALUE');
    else environment[match[1]!] = match[2]!;
  }
  return environment;
}

function readReturns(reader: ParameterReader): number[] {
  const codes = reader.list('returns') ?? [];
  if (codes.length === 0 || codes.some((code) => !/^\d{1,3}$/.test(code) || Number(code) > 255))
    reader.problem('returns', 'must be exit codes from 0 to 255');
  return codes.map(Number);
}

async function observe(spec: ExecSpec, context: ResourceContext): Promise<ExecState> {
  if (spec.creates !== undefined) {
    const { paths, files } = context.platform;
    const path = await paths.resolve(spec.creates, { followLast: true });
    if ((await files.status(path)) !== undefined) return { held: `${spec.creates} exists` };
  }
  if (spec.onlyif !== undefined && !(await succeeds(spec.onlyif, spec, context)))
    return { held: 'onlyif did not succeed' };
  if (spec.unless !== undefined && (await succeeds(spec.unless, spec, context)))
    return { held: 'unless succeeded' };
  return { held: undefined };
}

async function succeeds(
  command: string,
  spec: ExecSpec,
  context: ResourceContext,
): Promise<boolean> {
  const guard = { ...spec, background: false, stdin: undefined };
  const result = await run(command, guard, context);
  if (result.timedOut) throw timedOut(spec);
  return result.exitCode === 0;
}

async function apply(
  spec: ExecSpec,
  _state: ExecState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const result = await withSecretFile(spec, context, (command) => run(command, spec, context));
  if (result.timedOut) throw timedOut(spec);
  if (spec.background || spec.returns.includes(result.exitCode)) return;
  const end = result.signal === undefined ? `exit ${result.exitCode}` : `ended by ${result.signal}`;
  const detail = spec.logOutput ? `${end}: ${causeOf(result)}` : end;
  if (result.exitCode === shellNotFound) throw new AgentError('AGENT_COMMAND_MISSING', { detail });
  throw new AgentError('AGENT_COMMAND_FAILED', { detail });
}

function timedOut(spec: ExecSpec): AgentError {
  return new AgentError('AGENT_TIME_LIMIT', { detail: `${spec.timeoutMs / 1000} s` });
}

/** As another user through setpriv, which stays in our process group; su where there is none. */
async function run(command: string, spec: ExecSpec, context: ResourceContext): Promise<RunResult> {
  const { platform, signal } = context;
  const cwd = spec.cwd && (await platform.paths.resolve(spec.cwd, { followLast: true }));
  const nice = spec.background ? backgroundNice : spec.nice;
  const start = (argv: [string, ...string[]], account: Readonly<Record<string, string>>) =>
    platform.processes.run({
      argv,
      environment: { ...account, ...spec.environment },
      timeoutMs: spec.timeoutMs,
      signal,
      ...(spec.stdin === undefined ? {} : { stdin: new TextEncoder().encode(spec.stdin) }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(nice === undefined ? {} : { nice }),
      ...(spec.background ? { background: true } : {}),
    });
  if (spec.user === undefined) return start(['/bin/sh', '-c', command], {});
  const user = await findUser(spec.user, platform);
  const account = { HOME: user.home, USER: spec.user, LOGNAME: spec.user };
  if (user.uid === platform.host.effectiveUid) return start(['/bin/sh', '-c', command], account);
  try {
    const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups'];
    return await start(['setpriv', ...ids, '--', '/bin/sh', '-c', command], account);
  } catch (thrown) {
    if (!(thrown instanceof PlatformError) || thrown.code !== 'ENOENT' || thrown.path !== 'setpriv')
      throw thrown;
    return start(['su', '-s', '/bin/sh', '-c', command, '--', spec.user], account);
  }
}
