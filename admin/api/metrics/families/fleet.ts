import type { Exposition, Labels } from '../exposition.ts';
import type { MetricSources } from '../metrics.ts';

function byLabel(label: string, counts: Readonly<Record<string, number>>): [Labels, number][] {
  return Object.entries(counts).map(([value, count]) => [{ [label]: value }, count]);
}

/** What the fleet is like, as the database knows it. */
export function writeFleet(out: Exposition, { status, fleet }: MetricSources): void {
  out.family(
    'gauge',
    'vigo_envoys',
    'Envoys by state; revoked ones are in no other state.',
    byLabel('state', status.envoys),
  );
  out.family(
    'gauge',
    'vigo_envoys_alarming',
    'Envoys by state, without those in maintenance and those that are revoked.',
    byLabel('state', fleet.alarming),
  );
  out.gauge('vigo_envoys_in_maintenance', 'Envoys that somebody works on.', fleet.inMaintenance);
  out.family(
    'counter',
    'vigo_envoy_state_transitions_total',
    'How often envoys came into a state.',
    byLabel('transition', fleet.transitions),
  );
  out.family(
    'gauge',
    'vigo_envoys_by_agent_version',
    'Envoys that are not revoked, by the version of their agent.',
    byLabel('version', fleet.byAgentVersion),
  );
  out.gauge(
    'vigo_envoys_on_live_policy',
    'Envoys that told of the live policy version.',
    fleet.onLivePolicy,
  );
  out.gauge(
    'vigo_envoys_behind_live_policy',
    'Envoys that have not told of the live policy version.',
    fleet.behindLivePolicy,
  );
  const { oldestSeenMs } = fleet;
  out.gauge(
    'vigo_oldest_envoy_seen_timestamp_seconds',
    'When the envoy was heard of that has been silent for longest.',
    oldestSeenMs === undefined ? undefined : oldestSeenMs / 1000,
  );
  out.counter('vigo_runs_total', 'Runs that envoys reported and the database took.', fleet.runs);
  out.counter('vigo_audit_entries_total', 'Entries of the audit log.', fleet.auditEntries);
  out.family(
    'gauge',
    'vigo_enrollment_tokens',
    'Enrollment tokens by what became of them.',
    byLabel('state', fleet.enrollmentTokens),
  );
  out.gauge('vigo_api_tokens', 'Named API tokens that are valid.', fleet.apiTokens.valid);
  const { soonestExpiryMs } = fleet.apiTokens;
  out.gauge(
    'vigo_api_token_next_expiry_timestamp_seconds',
    'When the next named API token ends.',
    soonestExpiryMs === undefined ? undefined : soonestExpiryMs / 1000,
  );
}
