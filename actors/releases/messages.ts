import type { Address } from '../../runtime/actor.ts';

/** Releases of the agent, and how they reach the fleet. One actor, in the service pool. */
export type ReleaseMessages = {
  /** Takes a part of an artefact; the first one (offset 0) begins anew. Rejects with RELEASE_UPLOAD, _DISK. */
  upload: { payload: UploadPart; reply: { bytes: number } };
  /**
   * Makes a release of what was uploaded. Rejects with RELEASE_MALFORMED, _EXISTS, _SIGNATURE,
   * _OFFLINE_KEY, _UPLOAD, _DISK.
   */
  add: { payload: AddRelease; reply: ReleaseView };
  list: { payload: Record<never, never>; reply: ReleaseList };
  /** Rejects with RELEASE_NOT_FOUND, _IN_USE, _DISK. */
  remove: {
    payload: { version: string; platform: string | undefined; by: string };
    reply: ReleaseList;
  };
  /** Begins a rollout, or widens the one of the same version. Rejects with RELEASE_NOT_FOUND, _MALFORMED. */
  rollout: { payload: RolloutOfRelease; reply: ReleaseRolloutView };
  pause: { payload: ReleaseOrder; reply: ReleaseRolloutView };
  resume: { payload: ReleaseOrder; reply: ReleaseRolloutView };
  /** Nobody is sent to the version any more; who has it keeps it. */
  stop: { payload: ReleaseOrder; reply: ReleaseRolloutView };
  /**
   * Sends those that run `from` back to `to`: signs `to` anew as a step back. Rejects with
   * RELEASE_OFFLINE_KEY where somebody else must sign.
   */
  return: { payload: ReleaseOrder & { from: string; to: string }; reply: ReleaseRolloutView };
  /** Brings the rollout from disk into a store that lost it. */
  recover: { payload: Record<never, never>; reply: undefined };
  /** From a shard: an envoy did not get to the version. */
  news: { payload: UpdateOutcome; reply: undefined };
};

export interface UploadPart {
  readonly version: string;
  readonly platform: string;
  /** Bytes that were sent before. */
  readonly offset: number;
  readonly data: Uint8Array;
}

export interface AddRelease {
  readonly version: string;
  readonly platform: string;
  /** '' = any agent may go to it. */
  readonly minimumAgent: string;
  readonly downgradeFrom: readonly string[];
  /** Hex; agents that accept the release trust these from then on. */
  readonly releaseKeys: readonly string[];
  /** SignedRelease, encoded, when somebody else has signed; wins over the fields above. */
  readonly signed: Uint8Array | undefined;
  readonly by: string;
}

export interface ReleaseView {
  readonly version: string;
  readonly platform: string;
  /** Of the program, and of what agents fetch. */
  readonly bytes: number;
  readonly downloadBytes: number;
  /** Of the program, hex. */
  readonly sha256: string;
  readonly createdAtMs: number;
  readonly minimumAgent: string;
  readonly downgradeFrom: readonly string[];
  /** Who signed: "server", or the beginning of an offline key. */
  readonly signedBy: string;
}

export interface ReleaseList {
  readonly items: readonly ReleaseView[];
  readonly rollout: ReleaseRolloutView | undefined;
}

export interface ReleaseOrder {
  readonly by: string;
  readonly reason: string;
}

export interface RolloutOfRelease extends ReleaseOrder {
  readonly version: string;
  /** 0 to 100, of all envoys. */
  readonly percent: number;
  /** Globs of host names that are in beside the percentage. */
  readonly match: readonly string[];
  readonly trialCheckIns: number;
  readonly trialSeconds: number;
  /** Envoys that may fail before the rollout pauses by itself. */
  readonly maxFailures: number;
}

export interface ReleaseRolloutView {
  readonly version: string;
  readonly revision: number;
  readonly status: 'running' | 'paused' | 'stopped';
  readonly percent: number;
  readonly match: readonly string[];
  readonly from: readonly string[];
  readonly trialCheckIns: number;
  readonly trialSeconds: number;
  readonly maxFailures: number;
  readonly failures: number;
  readonly changedAtMs: number;
  readonly changedBy: string;
  readonly reason: string;
}

export interface UpdateOutcome {
  readonly envoyId: string;
  readonly version: string;
  readonly code: string;
}

export function releasesAddress(): Address<ReleaseMessages> {
  return { kind: 'releases', key: 'main' };
}
