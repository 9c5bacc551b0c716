import { ConvergenceState } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { type EnvoyRecord, envoyTable } from '../envoy/record.ts';
import { exposureTest } from '../policy/exposure.ts';
import { generationKey, type PolicyTables } from '../policy/tables.ts';
import { changedMembers, fleetMembers } from '../publish/groups.ts';
import { failingSampleLimit, type RolloutHealth } from './messages.ts';
import { failingBeforeLimit, type RolloutState } from './state.ts';

/** An envoy that missed this many check-ins is not connected. */
const missedCheckIns = 3;
const leastOfflineMs = 3_000;

/** Where health is read: hot records that the shards keep anyway, so no check-in costs more for it. */
export interface HealthSource {
  readonly tables: PolicyTables;
  /** The newest hot record of an envoy in any shard's store. */
  readonly record: (envoyId: string) => EnvoyRecord | undefined;
  /** Between two check-ins, milliseconds. */
  readonly intervalMs: number;
}

/** A record follows its envoy from shard to shard; a copy that stayed behind is older. */
export function newestRecord(
  shards: readonly StoreReader[],
): (envoyId: string) => EnvoyRecord | undefined {
  return (envoyId) => {
    let newest: EnvoyRecord | undefined;
    for (const shard of shards) {
      const record = shard.get(envoyTable, envoyId);
      if (record !== undefined && record.lastSeenMs >= (newest?.lastSeenMs ?? 0)) newest = record;
    }
    return newest;
  };
}

/** An envoy of the current stage or one before, whose policy the version changes. */
export interface ReachedEnvoy {
  readonly envoyId: string;
  readonly hostname: string;
  /** What it is to enforce. */
  readonly root: Uint8Array;
}

/** The whole list, made once per stage and now and then for new machines. */
export async function reachedEnvoys(
  ports: Ports,
  store: StoreReader,
  { tables }: HealthSource,
  rollout: RolloutState,
): Promise<ReachedEnvoy[]> {
  const row = (number: number) => store.get(tables.generations, generationKey(number));
  const from = row(rollout.fromGeneration);
  const to = row(rollout.toGeneration);
  if (from === undefined || to === undefined) return [];
  const everybody = rollout.stage === rollout.stages.length - 1;
  const isIn = exposureTest(rollout.exposure);
  const reached: ReachedEnvoy[] = [];
  const roots = new Map<string, Uint8Array>();
  const generations = {
    from: { number: rollout.fromGeneration, row: from },
    to: { number: rollout.toGeneration, row: to },
  };
  for await (const page of changedMembers(store, tables, ports, generations)) {
    for (const { envoyId, hostname, root: hex } of page) {
      if (!everybody && !isIn(envoyId, hostname)) continue;
      const root = roots.get(hex) ?? Uint8Array.from(Buffer.from(hex, 'hex'));
      roots.set(hex, root);
      reached.push({ envoyId, hostname, root });
    }
  }
  return reached;
}

/** Sorts the reached envoys by what their hot records say. */
export function observe(
  source: HealthSource,
  rollout: Pick<RolloutState, 'failingBefore' | 'stageStartedAtMs'>,
  reached: readonly ReachedEnvoy[],
  nowMs: number,
): Omit<RolloutHealth, 'fleet'> {
  const before = new Set(rollout.failingBefore);
  const count = { healthy: 0, unjudged: 0, failing: 0, silent: 0, pending: 0, offline: 0 };
  const sample: string[] = [];
  for (const envoy of reached) {
    const health = healthOf(source, envoy, nowMs, before.has(envoy.envoyId));
    count[health] += 1;
    const bad = health === 'failing' || health === 'silent';
    if (bad && sample.length < failingSampleLimit) sample.push(envoy.hostname);
  }
  return { ...count, reached: reached.length, sample };
}

function healthOf(
  source: HealthSource,
  { envoyId, root }: ReachedEnvoy,
  nowMs: number,
  failedBefore: boolean,
): 'healthy' | 'unjudged' | 'failing' | 'silent' | 'pending' | 'offline' {
  const record = source.record(envoyId);
  if (record === undefined) return 'offline';
  const enforces = record.agentRootEquals(root);
  const failing = enforces && isFailing(record) && !failedBefore;
  if (!isOnline(source, record, nowMs)) {
    if (failing) return 'failing';
    // It was handed the new policy and then fell silent: the policy may have cut it off.
    if (record.servedRootEquals(root))
      return enforces && isConverged(record) ? 'healthy' : 'silent';
    return 'offline';
  }
  if (failing) return 'failing';
  if (!enforces || record.state === ConvergenceState.CONVERGENCE_STATE_UNSPECIFIED)
    return 'pending';
  return isFailing(record) ? 'unjudged' : 'healthy';
}

/** How much of the connected fleet is converged, whatever policy it has. */
export async function countFleet(
  ports: Ports,
  store: StoreReader,
  source: HealthSource,
): Promise<RolloutHealth['fleet']> {
  const nowMs = ports.clock.nowMs();
  let online = 0;
  let converged = 0;
  for await (const page of fleetMembers(store, source.tables, ports)) {
    for (const { envoyId } of page) {
      const record = source.record(envoyId);
      if (record === undefined || !isOnline(source, record, nowMs)) continue;
      online += 1;
      if (isConverged(record)) converged += 1;
    }
  }
  return { online, converged };
}

/** Envoys that fail already, so that a new version is not blamed for them. */
export async function failingBefore(
  ports: Ports,
  store: StoreReader,
  source: HealthSource,
): Promise<string[]> {
  const failing: string[] = [];
  for await (const page of fleetMembers(store, source.tables, ports)) {
    for (const { envoyId } of page) {
      const record = source.record(envoyId);
      if (record === undefined || !isFailing(record)) continue;
      failing.push(envoyId);
      if (failing.length >= failingBeforeLimit) return failing;
    }
  }
  return failing;
}

function isOnline({ intervalMs }: HealthSource, record: EnvoyRecord, nowMs: number): boolean {
  return nowMs - record.lastSeenMs <= Math.max(missedCheckIns * intervalMs, leastOfflineMs);
}

function isFailing({ state }: EnvoyRecord): boolean {
  return (
    state === ConvergenceState.CONVERGENCE_STATE_FAILED ||
    state === ConvergenceState.CONVERGENCE_STATE_DEGRADED
  );
}

function isConverged({ state }: EnvoyRecord): boolean {
  return (
    state === ConvergenceState.CONVERGENCE_STATE_CONVERGED ||
    state === ConvergenceState.CONVERGENCE_STATE_CHANGED
  );
}
