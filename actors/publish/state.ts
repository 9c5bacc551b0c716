import type { RolloutState } from '../rollout/state.ts';
import type { SinkMessages } from '../sink/messages.ts';
import type {
  Approval,
  CandidateView,
  FreezeView,
  VersionCounts,
  VersionOrigin,
} from './version.ts';

/** Versions whose stacks are kept; the history in the database has no limit. */
export const keptVersionLimit = 100;
/** Bytes of the kept stacks, each counted whole. */
export const keptBytesLimit = 1024 ** 3;

/**
 * Everything that publishing must remember, in one file that is replaced as one step: what it says is
 * what counts, the store and the database follow it.
 */
export interface PublishState {
  readonly format: typeof stateFormat;
  readonly live: LiveVersion;
  /** What the default rollback and an automatic one bring back. */
  readonly previous?: LiveVersion;
  /** Versions whose stack can still be read, oldest first; the live one is the last. */
  readonly kept: readonly KeptVersion[];
  /** Rises with whatever any envoy is to enforce. */
  readonly revision: number;
  readonly candidate?: CandidateState;
  readonly freeze?: FreezeView;
  /** A freeze window of server.yaml is lifted until this time. */
  readonly windowLiftedUntilMs?: number;
  readonly rollout?: RolloutState;
  /** What the database has not acknowledged yet; sent again until it has. */
  readonly unsent: SinkMessages['write']['payload'];
}

export const stateFormat = 2;

export interface LiveVersion {
  /** 0 = nothing was published. */
  readonly version: number;
  readonly publishedAtMs: number;
  readonly publishedBy: string;
  readonly message: string;
  /** Hex; names the copy of the stack. */
  readonly stackHash: string;
  /** The first version whose compiled form this is; a rollback has that of the version it brings back. */
  readonly generation: number;
  readonly origin: VersionOrigin;
  readonly counts: VersionCounts;
  readonly approval?: Approval;
  readonly planId?: string;
}

export interface KeptVersion {
  readonly version: number;
  readonly stackHash: string;
  readonly bytes: number;
}

export interface CandidateState extends CandidateView {
  readonly bytes: number;
  /** The publish that is carried out when it is approved. */
  readonly request: {
    readonly rollout?: import('../rollout/messages.ts').RolloutRequest;
    readonly promoted?: { readonly from: string; readonly to: string };
  };
}

const noCounts: VersionCounts = {
  modules: 0,
  resources: 0,
  entries: 0,
  bundles: 0,
  changedEnvoys: 0,
  totalEnvoys: 0,
};

/** Before the first publish: version 0, the empty bundle for everybody. */
export const nothingPublished: PublishState = {
  format: stateFormat,
  live: {
    version: 0,
    publishedAtMs: 0,
    publishedBy: '',
    message: '',
    stackHash: '',
    generation: 0,
    origin: { kind: 'publish' },
    counts: noCounts,
  },
  kept: [],
  revision: 0,
  unsent: { records: [], audit: [] },
};

/** The kept versions after one more; those beyond the limits go, but never the two that may be live. */
export function keepVersion(
  kept: readonly KeptVersion[],
  added: KeptVersion,
  needed: readonly string[],
): KeptVersion[] {
  const all = [...kept, added];
  let bytes = all.reduce((sum, each) => sum + each.bytes, 0);
  let count = all.length;
  return all.filter((each) => {
    const fits = count <= keptVersionLimit && bytes <= keptBytesLimit;
    if (fits || each === added || needed.includes(each.stackHash)) return true;
    count -= 1;
    bytes -= each.bytes;
    return false;
  });
}

export function candidateView(candidate: CandidateState): CandidateView {
  const { bytes: _bytes, request: _request, ...view } = candidate;
  return view;
}
