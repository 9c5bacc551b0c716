import type { Address } from '../../runtime/actor.ts';

/**
 * Watches the version that is being rolled out and decides from the envoys' health when the next stage
 * begins, when it stops, and when the last good version comes back. One actor. It keeps nothing of its own: the
 * state of a rollout stands with the live version.
 */
export type RolloutMessages = {
  /** The rollout under way or the last one, with health as of now; undefined when there was none. */
  status: { payload: Record<string, never>; reply: RolloutView | undefined };
  /** Stages do not advance; a failure still rolls back. Rejects with ROLLOUT_NONE as the ones below. */
  pause: { payload: RolloutOrder; reply: RolloutView };
  resume: { payload: RolloutOrder; reply: RolloutView };
  /** Ends the rollout; the last good version comes back as a new version. */
  abort: { payload: RolloutOrder; reply: RolloutView };
  /** Ends it the other way: every envoy gets the version at once and nobody watches any more. */
  finish: { payload: RolloutOrder; reply: RolloutView };
  /** From the publish actor: there is a rollout to watch. */
  watch: { payload: Record<string, never>; reply: undefined };
  /** The actor's own timer. */
  tick: { payload: Record<string, never>; reply: undefined };
};

/** How server.yaml says that versions are rolled out. */
export type RolloutSettings = Required<RolloutRequest>;

export interface RolloutOrder {
  readonly by: string;
  readonly reason: string;
}

/** How a version reaches the fleet. What is absent comes from server.yaml's `publish` section. */
export interface RolloutRequest {
  /**
   * In order, each including the ones before: "25%" of the envoys that the version changes, or globs of host
   * names separated by commas ("canary-*,db-1"). A last stage of 100% is added. None: all at once.
   */
  readonly stages?: readonly string[];
  /** How long each stage is watched, milliseconds; 0 = not watched, without stages. */
  readonly observeMs?: number;
  /** Share (0 to 1) of the reached envoys that may fail; above it the rollout stops. */
  readonly threshold?: number;
  /** Share (0 to 1) of the whole connected fleet that must be converged; 0 = not looked at. */
  readonly leastConverged?: number;
  /** What happens then. Default rollback. */
  readonly onFailure?: 'rollback' | 'pause';
}

export type RolloutStatus =
  /** A stage is watched. */
  | 'watching'
  /** An administrator, or onFailure: pause, holds it. */
  | 'paused'
  | 'completed'
  /** The last good version is in force again. */
  | 'rolled-back'
  /** Another order ended it: abort, finish or a manual rollback. */
  | 'ended';

export interface RolloutView {
  readonly version: number;
  /** The version that comes back when this one fails. */
  readonly lastGoodVersion: number;
  readonly status: RolloutStatus;
  /** As ordered: "5%", "canary-*", "100%". */
  readonly stages: readonly string[];
  /** Index of the stage that is watched or was last. */
  readonly stage: number;
  readonly stageStartedAtMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly observeMs: number;
  readonly threshold: number;
  readonly leastConverged: number;
  readonly onFailure: 'rollback' | 'pause';
  /** Why it is paused, stopped or held. */
  readonly reason: string;
  /** Only from the rollout actor. */
  readonly health?: RolloutHealth;
}

/** Envoys that the current stage (and those before) gave other policy, and the whole fleet. */
export interface RolloutHealth {
  readonly reached: number;
  /** Enforce the new policy, converged or changed. */
  readonly healthy: number;
  /** Fail under the new policy as they did before it: it is not blamed, and nothing is learned of it. */
  readonly unjudged: number;
  /** Report failed or degraded under the new policy, and did not before. */
  readonly failing: number;
  /** Took the new policy and were not heard of since; they count as failing. */
  readonly silent: number;
  /** Connected, but have not reported under the new policy yet. */
  readonly pending: number;
  /** Not heard of since before they were reached: not failures, but they hold the stage to its end. */
  readonly offline: number;
  readonly fleet: { readonly online: number; readonly converged: number };
  /** Some host names of failing and silent envoys, at most `failingSampleLimit`. */
  readonly sample: readonly string[];
}

/** Host names shown of failing envoys. */
export const failingSampleLimit = 10;

export function rolloutAddress(): Address<RolloutMessages> {
  return { kind: 'rollout', key: 'main' };
}
