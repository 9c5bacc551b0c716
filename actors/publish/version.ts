/** What a version came from. */
export type VersionOrigin =
  | { readonly kind: 'publish' }
  | { readonly kind: 'promote'; readonly from: string; readonly to: string }
  /** `of` is the version whose stack is live again. */
  | { readonly kind: 'rollback'; readonly of: number }
  | { readonly kind: 'automatic-rollback'; readonly of: number };

/** The second administrator's yes. */
export interface Approval {
  readonly by: string;
  readonly atMs: number;
  readonly reason: string;
}

/** Counts that the history keeps of a version. */
export interface VersionCounts {
  readonly modules: number;
  readonly resources: number;
  readonly entries: number;
  readonly bundles: number;
  readonly changedEnvoys: number;
  readonly totalEnvoys: number;
}

/** A validated stack that waits for a second administrator. */
export interface CandidateView {
  /** Hex SHA-256 over the stack's files: what an approval names. */
  readonly contentHash: string;
  readonly author: string;
  readonly message: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The version that was live when it was made; another one makes the candidate void. */
  readonly baseVersion: number;
  readonly counts: VersionCounts;
  readonly planId?: string;
}

export interface FreezeView {
  readonly reason: string;
  /** "admin:<name>", or "server.yaml" for a window. */
  readonly by: string;
  readonly sinceMs: number;
  /** Absent: until unfreeze. */
  readonly untilMs?: number;
}
