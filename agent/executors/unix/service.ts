import { AgentError } from '../../errors.ts';
import { causeOf, runTool } from '../../platform/command.ts';
import type { Platform } from '../../platform/platform.ts';
import {
  detectServiceManager,
  type ServiceAct,
  type ServiceManager,
  type ServiceStatus,
} from '../../platform/services/service-manager.ts';
import { serviceSchema } from '../../policy/resource-schemas/service.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, Foresight, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';

export interface ServiceSpec {
  readonly service: string;
  readonly state: 'running' | 'stopped' | 'restarted' | 'reloaded';
  /** Undefined leaves it as it is. */
  readonly enabled: boolean | undefined;
  readonly restartCommand: string | undefined;
  readonly reloadCommand: string | undefined;
}

export interface ServiceState {
  readonly manager: ServiceManager;
  readonly status: ServiceStatus;
}

const commandTimeoutMs = 240_000;
const namePattern = /^[A-Za-z0-9_][A-Za-z0-9:_.\\@-]{0,254}$/;

/**
 * Services of the system's service manager. A service declared running or enabled is unmasked.
 * `restarted` and `reloaded` act on every call: the engine holds them back until they are triggered.
 */
export function createServiceType(
  detect: (platform: Platform) => Promise<ServiceManager | undefined> = detectServiceManager,
): ResourceType<ServiceSpec, ServiceState> {
  // One per platform, so that observations made together share what they ask the manager for.
  const managers = new WeakMap<Platform, Promise<ServiceManager | undefined>>();
  async function managerOf(platform: Platform): Promise<ServiceManager> {
    const detecting = managers.get(platform) ?? detect(platform);
    managers.set(platform, detecting);
    const manager = await detecting.catch(() => undefined);
    if (manager !== undefined) return manager;
    managers.delete(platform);
    // What kept it from being told is the answer, if something did.
    await detecting;
    throw new AgentError('AGENT_SERVICE_MANAGER_MISSING');
  }
  return {
    name: 'service',
    parameters: serviceSchema.parameters,
    confinable: false,
    timeoutMs: 300_000,
    // After a restart nothing differs from before it, so apply makes sure of the end by itself.
    verifiable: false,
    parse,
    observe: async (spec, context) => {
      const manager = await managerOf(context.platform);
      return { manager, status: await manager.status(spec.service, context.signal) };
    },
    compare,
    apply,
    foresee,
    targets: (spec) => serviceTargets(spec),
  };
}

function serviceTargets(spec: ServiceSpec) {
  const stops = spec.state === 'stopped' || spec.enabled === false;
  const commands = [spec.restartCommand, spec.reloadCommand].filter((one) => one !== undefined);
  return [
    { kind: 'service', value: spec.service, effect: stops ? 'stop' : 'write' } as const,
    ...commands.map((value) => ({ kind: 'command', value, effect: 'run' }) as const),
  ];
}

function parse(values: Readonly<Record<string, PolicyValue>>): ServiceSpec {
  const reader = new ParameterReader(serviceSchema.parameters, values);
  const states = ['running', 'stopped', 'restarted', 'reloaded'] as const;
  const spec: ServiceSpec = {
    service: reader.text('service') ?? '',
    state: reader.enumeration('state', states) ?? 'running',
    enabled: reader.boolean('enabled'),
    restartCommand: reader.text('restart_command'),
    reloadCommand: reader.text('reload_command'),
  };
  if (spec.service !== '' && !namePattern.test(spec.service))
    reader.problem('service', 'is no name of a service');
  reader.finish();
  return spec;
}

interface Step {
  readonly act: ServiceAct;
  readonly diff: string;
}

/** What has to be done, in order; empty when all is as declared. */
function steps(spec: ServiceSpec, status: ServiceStatus): readonly Step[] {
  const wanted: Step[] = [];
  const wantsRun = spec.state !== 'stopped';
  if (status.boot === 'masked' && (wantsRun || spec.enabled === true))
    wanted.push({ act: 'unmask', diff: 'masked -> unmasked' });
  if (spec.enabled === true && (status.boot === 'disabled' || status.boot === 'masked'))
    wanted.push({ act: 'enable', diff: `${status.boot} -> enabled` });
  if (spec.enabled === false && status.boot === 'enabled')
    wanted.push({ act: 'disable', diff: 'enabled -> disabled' });
  if (spec.state === 'running' && status.activity !== 'running')
    wanted.push({ act: 'start', diff: `${status.activity} -> running` });
  if (spec.state === 'stopped' && status.activity !== 'stopped')
    wanted.push({ act: 'stop', diff: `${status.activity} -> stopped` });
  if (spec.state === 'restarted') wanted.push({ act: 'restart', diff: 'restart' });
  if (spec.state === 'reloaded') wanted.push({ act: 'reload', diff: 'reload' });
  return wanted;
}

function compare(spec: ServiceSpec, { status }: ServiceState): Drift {
  const { unit } = status;
  if (!status.exists && spec.state === 'stopped' && status.activity === 'stopped')
    return { action: 'none', reason: `${unit} does not exist, so it does not run` };
  const wanted = steps(spec, status);
  if (wanted.length === 0) return { action: 'none', reason: `${unit}: ${status.description}` };
  const found = status.exists ? status.description : 'does not exist yet';
  return {
    action: 'updated',
    reason: `${unit}: ${found}; ${wanted.map((step) => step.act).join(', ')}`,
    diff: wanted.map((step) => `${unit}: ${step.diff}`).join('\n'),
  };
}

/** Where systemd finds units; the other managers have seen what comes in this run by themselves. */
const unitDirectories = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/**
 * A service that is not there: its unit file comes in this very run, or a package brings it, and then
 * Debian's packages start it too (unless policy-rc.d says no); otherwise the act would fail.
 */
async function foresee(
  spec: ServiceSpec,
  { status }: ServiceState,
  drift: Drift,
  { platform, broughtBy }: Foresight,
): Promise<Drift> {
  if (status.exists || spec.state === 'stopped') return drift;
  const there = async (path: string): Promise<boolean> =>
    (await platform.files.status(await platform.paths.resolve(path))) !== undefined;
  for (const directory of unitDirectories)
    if (await there(`${directory}/${status.unit}`)) return drift;
  if (broughtBy.length === 0) throw new AgentError('AGENT_SERVICE_UNKNOWN', status.unit);
  const startedByPackage =
    broughtBy.includes('package') &&
    spec.state === 'running' &&
    spec.enabled !== false &&
    (await there('/usr/bin/dpkg')) &&
    !(await there('/usr/sbin/policy-rc.d'));
  if (!startedByPackage) return drift;
  return { action: 'none', reason: `${status.unit}: its package is expected to start it` };
}

async function apply(
  spec: ServiceSpec,
  state: ServiceState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { manager } = state;
  let status = state.status;
  if (status.definitionChanged || !status.exists) {
    await manager.act('reread', status, context.signal);
    status = await manager.status(spec.service, context.signal);
  }
  if (!status.exists && spec.state !== 'stopped')
    throw new AgentError('AGENT_SERVICE_UNKNOWN', status.unit);
  for (const { act } of steps(spec, status)) await perform(act, spec, status, manager, context);
  await verify(spec, manager, context);
}

async function perform(
  act: ServiceAct,
  spec: ServiceSpec,
  status: ServiceStatus,
  manager: ServiceManager,
  context: ResourceContext,
): Promise<void> {
  const command =
    act === 'restart' ? spec.restartCommand : act === 'reload' ? spec.reloadCommand : undefined;
  if (command === undefined) return manager.act(act, status, context.signal);
  const result = await runTool(context.platform, ['/bin/sh', '-c', command], {
    timeoutMs: commandTimeoutMs,
    signal: context.signal,
  });
  if (result.exitCode !== 0)
    throw new AgentError(
      'AGENT_SERVICE_FAILED',
      `${status.unit}: ${act} command: exit code ${result.exitCode}: ${causeOf(result)}`,
    );
}

async function verify(
  spec: ServiceSpec,
  manager: ServiceManager,
  context: ResourceContext,
): Promise<void> {
  const after = await manager.status(spec.service, context.signal);
  const left = steps(spec, after).filter(({ act }) => act !== 'restart' && act !== 'reload');
  if (spec.state !== 'stopped' && (after.failed || after.activity === 'restarting'))
    throw new AgentError('AGENT_SERVICE_FAILED', `${after.unit}: is ${after.description}`);
  if (left.length === 0) return;
  throw new AgentError(
    'AGENT_SERVICE_FAILED',
    `${after.unit}: is ${after.description} after ${left.map((step) => step.act).join(', ')}`,
  );
}

export const serviceType = createServiceType();
