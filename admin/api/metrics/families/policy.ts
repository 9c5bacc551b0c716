import type { RolloutHealth } from '../../../../actors/rollout/messages.ts';
import type { Exposition, Labels } from '../exposition.ts';
import type { MetricSources } from '../metrics.ts';

const healthKinds = ['healthy', 'unjudged', 'failing', 'silent', 'pending', 'offline'] as const;

/** What is live, what is under way and what holds it up. */
export function writePolicy(
  out: Exposition,
  { status, fleet, publish, rollout }: MetricSources,
): void {
  out.gauge('vigo_policy_version', 'The live policy version; 0: none.', status.policyVersion);
  const { livePolicy } = fleet;
  out.gauge(
    'vigo_policy_published_timestamp_seconds',
    'When the live version was published.',
    livePolicy && livePolicy.publishedAtMs / 1000,
  );
  const flag = (value: unknown) =>
    publish === undefined ? undefined : Number(value !== undefined && value !== false);
  out.gauge('vigo_publish_frozen', '1 while nothing may be published.', flag(publish?.freeze));
  out.gauge(
    'vigo_publish_candidate_waiting',
    '1 while a candidate waits for an approval.',
    flag(publish?.candidate),
  );
  const states: readonly [string, number][] =
    rollout === undefined ? [] : [[String(rollout.status), 1]];
  out.family(
    'gauge',
    'vigo_rollout_status',
    'Always 1; the status of the last rollout stands in the label.',
    states.map(([name, value]) => [{ status: name }, value]),
  );
  out.gauge('vigo_rollout_version', 'The version of the last rollout.', rollout?.version);
  out.gauge('vigo_rollout_stage', 'The stage that is watched, from 0.', rollout?.stage);
  out.gauge('vigo_rollout_stages', 'Stages of the last rollout.', rollout?.stages.length);
  const health = rollout?.health;
  out.gauge('vigo_rollout_reached_envoys', 'Envoys that the rollout has reached.', health?.reached);
  out.family(
    'gauge',
    'vigo_rollout_envoys',
    'Envoys that the rollout has reached, by how they are.',
    health === undefined ? [] : healthKinds.map((kind) => sample(kind, health)),
  );
}

function sample(kind: (typeof healthKinds)[number], health: RolloutHealth): [Labels, number] {
  return [{ health: kind }, health[kind]];
}
