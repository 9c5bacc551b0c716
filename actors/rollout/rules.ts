import type { RolloutHealth } from './messages.ts';
import type { RolloutState } from './state.ts';

/** What the health of a stage asks for; `wait` = look again later. */
export interface Decision {
  readonly change: 'wait' | 'advance' | 'complete' | 'stop' | 'rollback';
  readonly reason: string;
}

/** A stage is watched at least this many check-in intervals, so that every envoy has had its turn. */
export const leastIntervals = 2;

const wait: Decision = { change: 'wait', reason: '' };

/**
 * Decides by what is known now. Failures end a stage at once; success only after its whole window, because what
 * breaks late breaks too. Pure.
 */
export function decide(
  rollout: RolloutState,
  health: RolloutHealth,
  situation: { readonly nowMs: number; readonly intervalMs: number },
): Decision {
  const failure = failureOf(rollout, health);
  const paused = rollout.status === 'paused';
  if (failure !== undefined) {
    if (rollout.onFailure === 'rollback') return { change: 'rollback', reason: failure };
    return paused ? wait : { change: 'stop', reason: failure };
  }
  if (paused) return wait;
  const { nowMs, intervalMs } = situation;
  const windowMs = Math.max(rollout.observeMs, leastIntervals * intervalMs);
  if (nowMs < rollout.stageStartedAtMs + windowMs) return wait;
  if (health.reached === 0) {
    return { change: 'stop', reason: 'the stage reaches no envoy that this version changes' };
  }
  if (health.healthy === 0) {
    return { change: 'stop', reason: reasonOfNobody(health) };
  }
  const overdue = health.pending / connected(health);
  if (overdue > rollout.threshold) {
    const reason = `${health.pending} of ${connected(health)} envoys have not taken the version`;
    return rollout.onFailure === 'rollback'
      ? { change: 'rollback', reason }
      : { change: 'stop', reason };
  }
  const change = rollout.stage === rollout.stages.length - 1 ? 'complete' : 'advance';
  return { change, reason: '' };
}

function reasonOfNobody({ failing, unjudged }: RolloutHealth): string {
  if (failing > 0) return `no envoy of the stage is healthy: ${failing} fail`;
  if (unjudged === 0) return 'no envoy of the stage has reported in its time';
  return `every envoy of the stage that reported failed before this version already (${unjudged})`;
}

/** Envoys of the stage that can have an opinion. */
function connected({ reached, offline }: RolloutHealth): number {
  return Math.max(1, reached - offline);
}

function failureOf(rollout: RolloutState, health: RolloutHealth): string | undefined {
  const bad = health.failing + health.silent;
  if (bad > 0 && bad / connected(health) > rollout.threshold) {
    const silent = health.silent === 0 ? '' : `, ${health.silent} of them silent`;
    return `${bad} of ${connected(health)} envoys fail${silent}`;
  }
  const { online, converged } = health.fleet;
  const share = online === 0 ? 1 : converged / online;
  const { leastConverged, convergedBefore } = rollout;
  // A fleet that was below before is not this version's doing.
  if (leastConverged > 0 && share < leastConverged && convergedBefore >= leastConverged) {
    return `${converged} of ${online} connected envoys are converged`;
  }
  return undefined;
}
