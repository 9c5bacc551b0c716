import type { Address } from '../../runtime/actor.ts';
import type { RolloutRequest, RolloutView } from '../rollout/messages.ts';
import type { StackComparison } from './comparison.ts';
import type { CandidateView, FreezeView, VersionOrigin } from './version.ts';

/**
 * Publishing: stack directory -> policy version. One actor changes (`publishAddress()`), a second one
 * of the same kind answers questions (`publishQueryAddress()`), so that a long comparison delays no
 * rollback. `by` is "admin:<name>" or "server"; whether that administrator may do it was decided before.
 */
export type PublishMessages = {
  /**
   * `directory` defaults to the server's stack directory. Changes nothing. Either address. `offline`:
   * URLs are not asked whether they answer.
   */
  validate: { payload: { directory?: string; offline?: boolean }; reply: ValidationResult };
  /**
   * Reads the stack once; what was validated is what is published. Rejects with PUBLISH_INVALID (the
   * error's `diagnostics` detail is the list of Diagnostic as JSON text), PUBLISH_FROZEN,
   * PUBLISH_VERSION_MOVED, PUBLISH_ROLLOUT_ACTIVE, PUBLISH_DISK and then has changed nothing. Where approval is
   * required the result has a `candidate` and the version stays.
   */
  publish: { payload: PublishRequest; reply: PublishResult };
  /**
   * A new version with the stack of an old one; `version` defaults to the one before the live one
   * (of a rolled back version: the one that was rolled back). Works during a freeze and needs no approval,
   * because that stack was live before. Ends a rollout under way.
   */
  rollback: { payload: RollbackRequest; reply: PublishResult };
  /**
   * Puts a candidate in force. `contentHash` must be the candidate's, `by` not its author. Rejects with
   * PUBLISH_CANDIDATE_*, PUBLISH_OWN_CANDIDATE, PUBLISH_FROZEN, PUBLISH_VERSION_MOVED.
   */
  approve: {
    payload: { contentHash: string; by: string; reason: string };
    reply: PublishResult;
  };
  /** Drops the candidate. The author may do it too. */
  reject: { payload: { contentHash: string; by: string; reason: string }; reply: CandidateView };
  /** No publish until `untilMs` (absent: until unfreeze). Replaces a freeze that is in force. */
  freeze: { payload: { untilMs?: number; reason: string; by: string }; reply: FreezeView };
  /** Also lets one pass that server.yaml's freeze_windows started, until that window ends. */
  unfreeze: { payload: { reason: string; by: string }; reply: { wasFrozen: boolean } };
  status: { payload: Record<string, never>; reply: PublishStatus };
  /** Either address. `from` and `to`: what to compare; the live version and the stack by default. */
  diff: {
    payload: { from?: StackReference; to?: StackReference };
    reply: StackComparison;
  };
  /** The files of a version, as long as its copy is kept (PUBLISH_VERSION_UNKNOWN afterwards). */
  files: {
    payload: { of: StackReference };
    reply: { contentHash: string; files: readonly StackFile[] };
  };
  /** The bundle root for a new or renamed envoy; writes its assignment. */
  assign: { payload: { envoyId: string; hostname: string }; reply: { bundleRoot: Uint8Array } };
  /**
   * Sent once when the server starts, after the identities are back: makes the store's policy the
   * live one again when they differ. Version 0 = nothing was ever published.
   */
  recover: { payload: Record<string, never>; reply: { version: number; rebuilt: boolean } };
  /** From the rollout actor only. */
  changeRollout: { payload: RolloutChange; reply: RolloutView };
  /** The actor's own timer: tell the database what it has not acknowledged. */
  flush: { payload: Record<string, never>; reply: undefined };
};

export interface PublishRequest {
  readonly directory?: string;
  /** Why; shown in the history. */
  readonly message: string;
  readonly by: string;
  /** The live version that the author looked at; refused with PUBLISH_VERSION_MOVED when it is another. */
  readonly expectedVersion?: number;
  /** URLs of the stack are not asked whether they answer. */
  readonly offline?: boolean;
  /** Replaces server.yaml's way of rolling out for this version. */
  readonly rollout?: RolloutRequest;
  /** The plan that the author saw. */
  readonly planId?: string;
  /** The stack must have this content hash (of a plan, a review), else PUBLISH_STACK_CHANGED. */
  readonly contentHash?: string;
  /** Set by `config promote`. */
  readonly promoted?: { readonly from: string; readonly to: string };
}

export interface RollbackRequest {
  readonly version?: number;
  readonly message: string;
  readonly by: string;
  readonly expectedVersion?: number;
}

/** A version's number, the live version, the stack directory, or the candidate under approval. */
export type StackReference = number | 'live' | 'stack' | 'candidate';

export interface StackFile {
  readonly path: string;
  readonly text: string;
}

export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** Path relative to the stack. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly suggestion?: string;
  /** The line of the file that `line` names. */
  readonly excerpt?: string;
  /** Other places that belong to it: the first of two, the steps of a cycle. */
  readonly related?: readonly RelatedPlace[];
}

export interface RelatedPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface ValidationResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly modules: number;
  readonly resources: number;
  readonly entries: number;
}

export interface PublishResult extends ValidationResult {
  readonly version: number;
  /** Hex SHA-256 of the stack's files; what an approval names. */
  readonly contentHash: string;
  /** Envoys that get other policy by this version, once it is rolled out. */
  readonly changedEnvoys: number;
  readonly totalEnvoys: number;
  readonly bundles: number;
  /** False when the stack is the one that is live already, or waits for approval; the version then stays. */
  readonly changed: boolean;
  /** Present when the version waits for approval. */
  readonly candidate?: CandidateView;
  /** Present when it is rolled out in stages or watched. */
  readonly rollout?: RolloutView;
}

/** What is in force and what is under way. */
export interface PublishStatus {
  /** 0 = nothing was published. */
  readonly version: number;
  readonly publishedAtMs: number;
  readonly publishedBy: string;
  readonly message: string;
  readonly contentHash: string;
  readonly origin: VersionOrigin;
  readonly approvalRequired: boolean;
  readonly candidate?: CandidateView;
  /** A freeze that an administrator ordered or a window of server.yaml. */
  readonly freeze?: FreezeView;
  /** The one under way, or the last one. */
  readonly rollout?: RolloutView;
}

/** What the rollout actor asks of the publish actor; `version` guards against a late order. */
export interface RolloutChange {
  readonly version: number;
  readonly by: string;
  readonly reason: string;
  readonly change:
    | 'pause'
    | 'resume'
    | 'advance'
    | 'complete'
    | 'finish'
    /** Too many failures, and onFailure is pause. */
    | 'stop'
    | 'rollback';
  /** Flat figures for the audit log. */
  readonly figures: Readonly<Record<string, number>>;
}

export function publishAddress(): Address<PublishMessages> {
  return { kind: 'publish', key: 'main' };
}

/** For `validate`, `diff`, `files` and `status`. */
export function publishQueryAddress(): Address<PublishMessages> {
  return { kind: 'publish', key: 'query' };
}
