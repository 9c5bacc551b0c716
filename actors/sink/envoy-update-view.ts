import { UpdatePhase } from '../../agent/protocol/gen/vigo/v1/release.ts';

/** What an envoy last said of an update of its agent. */
export interface EnvoyUpdateView {
  /** Where the update leads, or was to lead. */
  readonly version: string;
  /** fetching, trial, accepted, failed, returned or postponed. */
  readonly phase: string;
  /** Of the failure; '' otherwise. */
  readonly code: string;
  readonly message: string;
  /** The envoy's clock. */
  readonly atMs: number;
}

const phaseNames = new Map<number, string>([
  [UpdatePhase.UPDATE_PHASE_FETCHING, 'fetching'],
  [UpdatePhase.UPDATE_PHASE_TRIAL, 'trial'],
  [UpdatePhase.UPDATE_PHASE_ACCEPTED, 'accepted'],
  [UpdatePhase.UPDATE_PHASE_FAILED, 'failed'],
  [UpdatePhase.UPDATE_PHASE_RETURNED, 'returned'],
  [UpdatePhase.UPDATE_PHASE_POSTPONED, 'postponed'],
]);

export function updatePhaseName(phase: number): string {
  return phaseNames.get(phase) ?? `phase ${phase}`;
}

/** Of the column `agent_update`; undefined when the envoy never said anything. */
export function envoyUpdateView(column: string | null): EnvoyUpdateView | undefined {
  return column === null ? undefined : (JSON.parse(column) as EnvoyUpdateView);
}
