import type { Exposure } from '../policy/exposure.ts';
import type { RolloutView } from './messages.ts';

/** A rollout as it is kept with the live version and, for the rollout actor, in the store. */
export interface RolloutState extends Omit<RolloutView, 'health'> {
  /** Who has been reached so far; meaningless in the last stage, which is everybody. */
  readonly exposure: Exposure;
  /** Generations of the last good version and of the new one. */
  readonly fromGeneration: number;
  readonly toGeneration: number;
  /** Envoys that were failing before; at most `failingBeforeLimit`. */
  readonly failingBefore: readonly string[];
  /** Share of the connected fleet that was converged before. */
  readonly convergedBefore: number;
}

/** Envoys beyond this that failed before count as failing: too careful rather than too bold. */
export const failingBeforeLimit = 1000;

export function isUnderWay(rollout: RolloutState | undefined): rollout is RolloutState {
  return rollout?.status === 'watching' || rollout?.status === 'paused';
}

export function rolloutView(state: RolloutState): RolloutView {
  const {
    exposure: _exposure,
    fromGeneration: _from,
    toGeneration: _to,
    failingBefore: _failing,
    convergedBefore: _converged,
    ...view
  } = state;
  return view;
}
