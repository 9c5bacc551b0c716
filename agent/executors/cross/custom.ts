import { AgentError } from '../../errors.ts';
import { causeOf } from '../../platform/command.ts';
import type { RunResult } from '../../platform/platform.ts';
import { customSchema } from '../../policy/resource-schemas/custom.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { durationMs, ParameterReader } from '../parameters.ts';
import { occupied, readPath } from './places.ts';

export interface CustomSpec {
  readonly script: string;
  readonly state: string;
  readonly params: Readonly<Record<string, PolicyValue>>;
  readonly timeoutMs: number;
}

export interface CustomState {
  /** Real path of the script. */
  readonly script: string;
  readonly answer: CustomAnswer;
}

interface CustomAnswer {
  readonly action: 'none' | 'created' | 'updated' | 'deleted' | 'skipped';
  readonly error: string;
}

const defaultTimeoutMs = 300_000;
const timeoutLimitMs = 24 * 3_600_000;
const engineMarginMs = 10_000;
const answerBytesLimit = 64 * 1024;
const actions = ['none', 'created', 'updated', 'deleted', 'skipped'] as const;
const writableByOthers = 0o022;

/**
 * A resource that a script of the node's owner looks after: JSON in, JSON out. It is asked with
 * dry_run true what it would do, and only if that is something, with dry_run false to do it.
 */
export const customType: ResourceType<CustomSpec, CustomState> = {
  name: 'custom',
  parameters: customSchema.parameters,
  confinable: false,
  timeoutMs: defaultTimeoutMs,
  timeoutOf: (spec) => spec.timeoutMs + engineMarginMs,
  // A script that always says changed shows as changed each time; asking it again adds nothing.
  verifiable: false,
  parse,
  observe: async (spec, context) => {
    const script = await trustedScript(spec.script, context);
    return { script, answer: await ask(script, spec, true, context) };
  },
  compare: (spec, { answer }): Drift => {
    const reason = answer.action === 'none' ? 'as the script wants it' : `${spec.script} says so`;
    return { action: answer.action, reason };
  },
  apply: async (spec, state, _drift, context) => {
    await ask(state.script, spec, false, context);
  },
  targets: (spec) => [{ kind: 'command', value: spec.script, effect: 'run' }],
};

function parse(values: Readonly<Record<string, PolicyValue>>): CustomSpec {
  const reader = new ParameterReader(customSchema.parameters, values);
  const timeout = durationMs(reader.text('timeout') ?? '');
  if (timeout === undefined || timeout < 1000 || timeout > timeoutLimitMs)
    reader.problem('timeout', 'must be seconds, or 30s, 45m, 4h; from 1 s to 24 h');
  const { params } = values;
  const isMap = params !== null && typeof params === 'object' && !Array.isArray(params);
  if (params !== undefined && params !== null && !isMap) reader.problem('params', 'must be a map');
  const spec: CustomSpec = {
    script: readPath(reader, 'script'),
    state: reader.text('state') ?? 'present',
    params: isMap ? (params as Record<string, PolicyValue>) : {},
    timeoutMs: timeout ?? defaultTimeoutMs,
  };
  reader.finish();
  return spec;
}

/** The agent's rights are not lent to a script that somebody else can change. */
async function trustedScript(declared: string, { platform }: ResourceContext): Promise<string> {
  const { files, paths, host } = platform;
  const path = await paths.resolve(declared, { followLast: true });
  const status = await files.status(path);
  if (status === undefined) throw new AgentError('AGENT_PATH_MISSING', { detail: declared });
  if (status.kind !== 'file') throw occupied(declared, status.kind, 'script');
  const own = status.uid === 0 || status.uid === host.effectiveUid;
  if (!own || (status.mode & writableByOthers) !== 0)
    throw new AgentError('AGENT_SCRIPT_NOT_TRUSTED', { detail: declared });
  return path;
}

async function ask(
  script: string,
  spec: CustomSpec,
  dryRun: boolean,
  context: ResourceContext,
): Promise<CustomAnswer> {
  const question = { state: spec.state, params: spec.params, dry_run: dryRun };
  const result = await context.platform.processes.run({
    argv: [script],
    stdin: new TextEncoder().encode(JSON.stringify(question)),
    timeoutMs: spec.timeoutMs,
    outputLimit: answerBytesLimit,
    signal: context.signal,
  });
  if (result.timedOut)
    throw new AgentError('AGENT_TIME_LIMIT', { detail: `${spec.timeoutMs / 1000} s` });
  const answer = readAnswer(spec.script, result);
  if (answer.error === '') return answer;
  throw new AgentError('AGENT_SCRIPT_FAILED', { detail: `${spec.script}: ${answer.error}` });
}

const errorLimit = 400;

/** What it printed is not repeated: nobody knows what is in it. */
function readAnswer(script: string, result: RunResult): CustomAnswer {
  if (result.truncated)
    throw new AgentError('AGENT_SCRIPT_ANSWER', {
      detail: `${script} printed more than ${answerBytesLimit} bytes`,
    });
  const answer = asObject(result.stdout);
  const error = answer?.error;
  if (result.exitCode !== 0 && !(typeof error === 'string' && error !== '')) {
    const end = result.signal ?? `exit code ${result.exitCode}`;
    const cause = result.stderr.trim() === '' ? '' : `: ${causeOf({ ...result, stdout: '' })}`;
    throw new AgentError('AGENT_SCRIPT_FAILED', { detail: `${script}: ${end}${cause}` });
  }
  if (answer === undefined)
    throw new AgentError('AGENT_SCRIPT_ANSWER', { detail: `${script} printed no JSON object` });
  const action = actions.find((one) => one === answer.action);
  if (answer.action !== undefined && action === undefined)
    throw new AgentError('AGENT_SCRIPT_ANSWER', { detail: `${script}: action is unknown` });
  return {
    action: action ?? (answer.changed === true ? 'updated' : 'none'),
    error: typeof error === 'string' ? error.slice(0, errorLimit) : '',
  };
}

function asObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
