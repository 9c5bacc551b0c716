import { ConvergenceState } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { EnvoyState } from './states.ts';

/**
 * The rules of docs/states.md: what the runs of an envoy make of its state. Pure; the hot record
 * keeps what they need, two small numbers.
 */
export interface Convergence {
  /** Outcome of the last run, a ConvergenceState of the protocol. */
  readonly lastRun: number;
  /** Runs in a row that had to act, or could not, though nothing new was published. */
  readonly driftRuns: number;
}

/** What the rules need to know of a run. */
export interface RunOutcome {
  readonly state: number;
  /** It is the first one under a policy, a stage of a rollout, or a rotated secret. */
  readonly policyChanged: boolean;
  /** Resources that it created, updated or deleted. */
  readonly changes: number;
  /** Resources that could not be brought to their state: a broken repository, a full disk. */
  readonly blocked: number;
}

export const relapsedAfterRuns = 2;
export const divergedAfterRuns = 3;
/** Higher counts say nothing more; the hot record has one byte. */
export const driftRunsMax = 255;

export const nothingKnown: Convergence = {
  lastRun: ConvergenceState.CONVERGENCE_STATE_UNSPECIFIED,
  driftRuns: 0,
};

/** A run was reported. What a new policy makes an envoy do is no drift, and begins a new count. */
export function afterRun(before: Convergence, run: RunOutcome): Convergence {
  const drifted = !run.policyChanged && run.changes + run.blocked > 0;
  const driftRuns = drifted ? Math.min(before.driftRuns + 1, driftRunsMax) : 0;
  return { lastRun: run.state, driftRuns };
}

/**
 * A check-in tells how the last run ended, and nothing of why. A run that found everything as declared
 * ends the count, also where its report got lost.
 */
export function afterCheckIn(before: Convergence, state: number): Convergence {
  const settled =
    state === ConvergenceState.CONVERGENCE_STATE_CONVERGED ||
    state === ConvergenceState.CONVERGENCE_STATE_UNSPECIFIED;
  return { lastRun: state, driftRuns: settled ? 0 : before.driftRuns };
}

/** Failures first: what fails now matters more than what came back too often. */
export function stateOf({ lastRun, driftRuns }: Convergence): Exclude<EnvoyState, 'offline'> {
  switch (lastRun) {
    case ConvergenceState.CONVERGENCE_STATE_FAILED:
      return 'failed';
    case ConvergenceState.CONVERGENCE_STATE_DEGRADED:
      return 'degraded';
    case ConvergenceState.CONVERGENCE_STATE_CONVERGED:
    case ConvergenceState.CONVERGENCE_STATE_CHANGED:
      if (driftRuns >= divergedAfterRuns) return 'diverged';
      return driftRuns >= relapsedAfterRuns ? 'relapsed' : 'converged';
    default:
      return 'no data';
  }
}

/** An envoy that misses this many check-ins is offline. */
const missedCheckIns = 3;
/** The detection itself takes time, and all of it lies within the missed intervals. */
const detectionMs = 1_000;
const leastSilenceMs = 2_000;

/** How long an envoy may be silent, milliseconds; it is known to be offline within three intervals. */
export function silenceLimitMs(intervalMs: number): number {
  const slack = Math.min(detectionMs, intervalMs / 4);
  return Math.max(missedCheckIns * intervalMs - slack, leastSilenceMs);
}

/** Of all envoys that are not revoked, 0 to 100; undefined where there are none. */
export function convergedPercent(converged: number, active: number): number | undefined {
  return active === 0 ? undefined : (100 * converged) / active;
}
