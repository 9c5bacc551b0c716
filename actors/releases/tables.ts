import type { Codec, Table } from '../../runtime/store.ts';
import type { Exposure } from '../policy/exposure.ts';

/** What shards know of the release that is being rolled out. */
export interface ReleaseRolloutRow {
  /** Rises with every change; what an envoy answered counts for one revision. */
  readonly revision: number;
  readonly version: string;
  readonly paused: boolean;
  readonly exposure: Exposure;
  readonly trialCheckIns: number;
  readonly trialSeconds: number;
  /** Envoys that run one of these only; empty: whatever they run. */
  readonly from: readonly string[];
  readonly releases: readonly RolledOutRelease[];
}

export interface RolledOutRelease {
  readonly platform: string;
  /** SignedRelease, encoded. */
  readonly signed: Uint8Array;
  /** Name of the artefact below the agents directory. */
  readonly file: string;
  /** Of the artefact, hex and bytes. */
  readonly downloadSha256: string;
  readonly downloadSize: number;
}

/** In the service thread's store; made anew from disk. One row, key "current", while there is one. */
export type ReleaseRolloutTable = Table<ReleaseRolloutRow>;

export function releaseRolloutTable(codec: Codec<ReleaseRolloutRow>): ReleaseRolloutTable {
  return { name: 'release-rollout', codec, rowLimit: 1 };
}
