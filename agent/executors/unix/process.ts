import { AgentError } from '../../errors.ts';
import { runTool } from '../../platform/command.ts';
import { detectServiceManager } from '../../platform/services/service-manager.ts';
import { isVigoProcess } from '../../policy/guardrails.ts';
import { processSchema } from '../../policy/resource-schemas/process.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType, Target } from '../contract.ts';
import { quote } from '../cross/filters.ts';
import { ParameterReader } from '../parameters.ts';
import { listProcesses, matchesProcess, type ProcessEntry, readProcess } from './process-table.ts';
import { toolFailure } from './tool.ts';

export interface ProcessSpec {
  readonly process: string;
  readonly match: string | RegExp;
  readonly minimum: number;
  readonly maximum: number;
  /** Without the prefix SIG. */
  readonly signal: string;
  readonly killExcess: boolean;
  readonly restart:
    | { readonly kind: 'unit'; readonly unit: string }
    | { readonly kind: 'command'; readonly command: string }
    | undefined;
}

export interface ProcessState {
  /** Oldest first. */
  readonly found: readonly ProcessEntry[];
}

const countLimit = 10_000;
const commandTimeoutMs = 120_000;
const pollMs = 100;
/** How long processes may take to end, or to come up. */
const patienceMs = 10_000;
const shownLimit = 5;

/** Processes by name, read from /proc. Too few are started by their unit or command, too many are ended. */
export const processType: ResourceType<ProcessSpec, ProcessState> = {
  name: 'process',
  parameters: processSchema.parameters,
  confinable: false,
  timeoutMs: 180_000,
  parse,
  observe: async (spec, { platform }) => {
    const all = await listProcesses(platform);
    const found = all.filter((entry) => matchesProcess(entry, spec.match));
    return { found: found.sort((a, b) => Number(a.startedAt) - Number(b.startedAt)) };
  },
  compare,
  apply,
  targets,
};

function targets(spec: ProcessSpec): Target[] {
  // As a command, so that the guardrails know whose processes it would end.
  const kill = typeof spec.match === 'string' ? ['pkill', '-x'] : ['pkill', '-f'];
  const { restart } = spec;
  return [
    ...(spec.killExcess && spec.maximum < countLimit
      ? [
          {
            kind: 'command',
            value: [...kill, quote(spec.process)].join(' '),
            effect: 'run',
          } as const,
        ]
      : []),
    ...(restart?.kind === 'unit'
      ? [{ kind: 'service', value: restart.unit, effect: 'write' } as const]
      : []),
    ...(restart?.kind === 'command'
      ? [{ kind: 'command', value: restart.command, effect: 'run' } as const]
      : []),
  ];
}

function parse(values: Readonly<Record<string, PolicyValue>>): ProcessSpec {
  const reader = new ParameterReader(processSchema.parameters, values);
  const process = reader.text('process') ?? '';
  const stopped = reader.enumeration('state', ['running', 'stopped']) === 'stopped';
  const pattern = reader.enumeration('match_mode', ['exact', 'pattern']) === 'pattern';
  const count = reader.integer('count', 0, countLimit);
  const minimum = count ?? reader.integer('min', 0, countLimit) ?? 1;
  const maximum = count ?? reader.integer('max', 0, countLimit) ?? countLimit;
  if (count !== undefined && (values.min !== undefined || values.max !== undefined))
    reader.problem('count', 'excludes min and max');
  if (!stopped && maximum < minimum) reader.problem('max', 'must not be less than min');
  const unit = reader.text('restart_unit');
  const method = reader.text('restart_method');
  const byUnit = unit !== undefined && (method === undefined || method === 'systemctl');
  if (method === 'systemctl' && unit === undefined)
    reader.problem('restart_unit', 'is required for restart_method systemctl');
  const spec: ProcessSpec = {
    process,
    match: pattern ? (reader.regex('process') ?? /(?!)/) : process,
    minimum: stopped ? 0 : minimum,
    maximum: stopped ? 0 : maximum,
    signal: (reader.text('signal') ?? 'TERM').replace(/^SIG/, ''),
    killExcess: stopped || reader.boolean('kill_timeout') !== false,
    restart: byUnit
      ? { kind: 'unit', unit: unit! }
      : method === undefined
        ? undefined
        : { kind: 'command', command: method },
  };
  reader.finish();
  return spec;
}

function compare(spec: ProcessSpec, { found }: ProcessState): Drift {
  const { process, minimum, maximum } = spec;
  const now = found.length === 1 ? 'one runs' : `${found.length === 0 ? 'none' : found.length} run`;
  if (found.length < minimum) {
    if (spec.restart === undefined)
      throw new AgentError('AGENT_PROCESS_NO_START', { detail: `${process}: ${now}` });
    const reason = `${process}: ${now}, at least ${minimum} should`;
    return { action: 'updated', reason, diff: `${process}: ${found.length} -> ${minimum}` };
  }
  if (found.length > maximum) {
    if (!spec.killExcess)
      throw new AgentError('AGENT_PROCESS_EXCESS', { detail: `${process}: ${now}` });
    const own = found.slice(maximum).find((one) => isVigoProcess(one.name, one.commandLine));
    if (own !== undefined)
      throw new AgentError('AGENT_GUARDRAIL', { detail: `ending ${own.pid} (${own.name})` });
    const should = maximum === 0 ? 'none should' : `at most ${maximum} should`;
    return {
      action: 'updated',
      reason: `${process}: ${now}, ${should}`,
      diff: `${process}: ${found.length} -> ${maximum}: ${spec.signal} to ${pids(found, maximum)}`,
    };
  }
  return { action: 'none', reason: `${process}: ${now}` };
}

function pids(found: readonly ProcessEntry[], keep: number): string {
  const excess = found.slice(keep).map(({ pid }) => pid);
  const shown = excess.slice(0, shownLimit).join(', ');
  return excess.length > shownLimit ? `${shown}, ...` : shown;
}

async function apply(
  spec: ProcessSpec,
  { found }: ProcessState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  if (found.length > spec.maximum) return end(found.slice(spec.maximum), spec.signal, context);
  await start(spec, context);
  const { clock } = context.platform;
  for (let waited = 0; waited < patienceMs && !context.signal.aborted; waited += pollMs) {
    const now = await processType.observe(spec, context);
    if (now.found.length >= spec.minimum) return;
    await clock.sleep(pollMs, context.signal);
  }
}

async function start({ restart }: ProcessSpec, context: ResourceContext): Promise<void> {
  if (restart?.kind === 'unit') {
    const manager = await detectServiceManager(context.platform);
    if (manager === undefined) throw new AgentError('AGENT_SERVICE_MANAGER_MISSING');
    const status = await manager.status(restart.unit, context.signal);
    if (!status.exists) throw new AgentError('AGENT_SERVICE_UNKNOWN', { detail: status.unit });
    return manager.act('restart', status, context.signal);
  }
  if (restart === undefined) return;
  const argv = ['/bin/sh', '-c', restart.command] as const;
  const options = { signal: context.signal, timeoutMs: commandTimeoutMs };
  const result = await runTool(context.platform, argv, options);
  if (result.exitCode !== 0) throw toolFailure(['restart_method'], result, 'AGENT_COMMAND_FAILED');
}

/** A pid may name another process by now: its start time is compared before each signal. */
async function end(
  entries: readonly ProcessEntry[],
  signal: string,
  context: ResourceContext,
): Promise<void> {
  const { processes, clock } = context.platform;
  const living = async () => {
    const left: ProcessEntry[] = [];
    for (const entry of entries) if (await isSame(entry, context)) left.push(entry);
    return left;
  };
  for (const { pid } of await living()) await processes.signal(pid, signal);
  for (let waited = 0; waited < patienceMs && !context.signal.aborted; waited += pollMs) {
    if ((await living()).length === 0) return;
    await clock.sleep(pollMs, context.signal);
  }
  for (const { pid } of await living()) await processes.signal(pid, 'KILL');
}

async function isSame(entry: ProcessEntry, { platform }: ResourceContext): Promise<boolean> {
  const directory = await platform.paths.resolve(`/proc/${entry.pid}`);
  const now = await readProcess(platform, directory, entry.pid);
  return now?.startedAt === entry.startedAt;
}
