import { exposureTest } from '../policy/exposure.ts';
import type { ReleaseRolloutView } from './messages.ts';
import type { ReleaseRolloutRow, RolledOutRelease } from './tables.ts';

const twoTo32 = 2 ** 32;

/** A rollout as it is kept on disk. */
export interface ReleaseRollout extends ReleaseRolloutView {
  /** Envoys that did not get to the version; at most one more than may. */
  readonly failed: readonly string[];
}

export function rolloutView({ failed: _failed, ...view }: ReleaseRollout): ReleaseRolloutView {
  return view;
}

/** What shards read; undefined when nobody is to be updated. */
export function rolloutRow(
  rollout: ReleaseRollout,
  releases: readonly RolledOutRelease[],
): ReleaseRolloutRow | undefined {
  if (rollout.status === 'stopped' || releases.length === 0) return undefined;
  const { revision, version, percent, match, from, trialCheckIns, trialSeconds } = rollout;
  return {
    revision,
    version,
    paused: rollout.status === 'paused',
    exposure: {
      salt: version,
      upTo: percent <= 0 ? -1 : Math.min(twoTo32, Math.ceil((percent / 100) * twoTo32)) - 1,
      globs: match,
    },
    trialCheckIns,
    trialSeconds,
    from,
    releases,
  };
}

/** Who is in, ready for many envoys. */
export function inRollout(
  row: ReleaseRolloutRow,
): (envoyId: string, hostname: string, agentVersion: string) => boolean {
  const exposed = exposureTest(row.exposure);
  return (envoyId, hostname, agentVersion) =>
    (row.from.length === 0 || row.from.includes(agentVersion)) && exposed(envoyId, hostname);
}

/** The rollout after an envoy's failure: it pauses by itself when too many failed. */
export function afterFailure(
  rollout: ReleaseRollout,
  envoyId: string,
  code: string,
  nowMs: number,
): ReleaseRollout {
  if (rollout.failed.includes(envoyId) || rollout.failed.length > rollout.maxFailures)
    return rollout;
  const failed = [...rollout.failed, envoyId];
  const counted = { ...rollout, failed, failures: failed.length };
  if (failed.length <= rollout.maxFailures || rollout.status !== 'running') return counted;
  return {
    ...counted,
    status: 'paused',
    revision: rollout.revision + 1,
    changedAtMs: nowMs,
    changedBy: 'server',
    reason: `${failed.length} envoys did not get to ${rollout.version}; the last said ${code}`,
  };
}
