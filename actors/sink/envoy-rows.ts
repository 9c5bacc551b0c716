import { revokedState, stateOfNumber } from '../envoy/states.ts';
import { envoyUpdateView } from './envoy-update-view.ts';
import type { TransitionsTable } from './fleet-tables.ts';
import type { EnvoyView, MaintenanceView, TransitionView } from './fleet-views.ts';
import type { EnvoysTable } from './schema.ts';

export function envoyView(row: EnvoysTable): EnvoyView {
  const revoked = row.revoked_at_ms !== null;
  return {
    id: row.envoy_id,
    hostname: row.hostname,
    state: revoked ? revokedState : stateOfNumber(row.state),
    stateSinceMs: (revoked ? row.revoked_at_ms : row.state_since_ms) ?? undefined,
    lastSeenMs: row.last_seen_ms ?? undefined,
    policyVersion: row.policy_version ?? undefined,
    agentVersion: row.agent_version,
    os: row.os,
    update: envoyUpdateView(row.agent_update),
    maintenance:
      row.maintenance === null ? undefined : (JSON.parse(row.maintenance) as MaintenanceView),
    enrolledAtMs: row.enrolled_at_ms,
    certificateEndsMs: row.certificate_ends_ms ?? undefined,
    revoked,
  };
}

export function transitionView(row: TransitionsTable): TransitionView {
  const from = stateOfNumber(row.from_state);
  const to = stateOfNumber(row.to_state);
  return {
    atMs: row.at_ms,
    from,
    to,
    reason: reasonFor(to, row.drift_runs),
    afterMs: row.after_ms ?? undefined,
  };
}

/** Why an envoy came into a state, for people. */
function reasonFor(to: TransitionView['to'], driftRuns: number): string {
  switch (to) {
    case 'converged':
      return 'the last run found everything as declared, or made it so';
    case 'relapsed':
    case 'diverged':
      return `${driftRuns} runs in a row had to act, though nothing new was published`;
    case 'degraded':
      return 'some resources failed or were blocked in the last run';
    case 'failed':
      return 'nothing could be brought to its state in the last run';
    case 'offline':
      return 'it missed three check-ins';
    case 'no data':
      return 'it has not run yet';
  }
}
