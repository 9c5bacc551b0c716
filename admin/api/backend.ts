import type { Address, MessageMap } from '../../runtime/actor.ts';

/**
 * What the routes need of the rest of the server: actors to ask, and read-only views. The web thread
 * fills it with the actor system, SQL queries and the status collector; tests with objects.
 */
export interface Backend {
  ask<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
    deadlineMs: number,
  ): Promise<M[T]['reply']>;
  readonly views: Views;
  nowMs(): number;
  log(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

/** A page of a listing; `next` is the cursor of the following page, absent on the last. */
export interface Page<Row> {
  readonly items: readonly Row[];
  readonly next: string | undefined;
}

export interface Views {
  status(): Promise<StatusView>;
  tokens(): readonly TokenView[];
  envoys(filter: EnvoyFilter): Page<EnvoyView>;
  /** By UUID or by host name; several rows when a host name is not unique. */
  findEnvoys(nameOrId: string): readonly EnvoyView[];
  runs(filter: RunFilter): Page<RunView>;
  run(runId: string): RunDetailView | undefined;
  policyHistory(limit: number): readonly PolicyVersionView[];
  audit(filter: AuditFilter): Page<AuditView>;
}

export interface EnvoyFilter {
  /** Glob on the host name. */
  readonly match?: string;
  readonly state?: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface RunFilter {
  readonly envoyId?: string;
  readonly state?: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface AuditFilter {
  readonly afterSequence: number;
  /** The last `limit` entries instead of the first ones; still in rising order. */
  readonly newest: boolean;
  readonly type?: string;
  readonly limit: number;
}

export interface EnvoyView {
  readonly id: string;
  readonly hostname: string;
  /** converged, changed, degraded, failed, "no data"; "revoked" when it is. */
  readonly state: string;
  readonly lastSeenMs: number | undefined;
  readonly policyVersion: number | undefined;
  readonly agentVersion: string;
  readonly enrolledAtMs: number;
  readonly revoked: boolean;
}

export interface TokenView {
  readonly id: string;
  readonly match: readonly string[];
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | undefined;
  readonly usedBy: string | undefined;
  readonly revokedAtMs: number | undefined;
}

export interface RunView {
  readonly id: string;
  readonly envoyId: string;
  readonly hostname: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly policyVersion: number;
  readonly state: string;
  readonly dryRun: boolean;
  readonly offline: boolean;
  readonly total: number;
  readonly unchanged: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly skipped: number;
  readonly blocked: number;
  readonly failed: number;
}

export interface RunDetailView extends RunView {
  readonly results: readonly RunResultView[];
  readonly incidents: readonly { code: string; message: string; atMs: number }[];
}

export interface RunResultView {
  readonly id: string;
  readonly type: string;
  readonly action: string;
  readonly reason: string;
  readonly diff: string;
  readonly errorCode: string;
  readonly durationMs: number;
}

export interface PolicyVersionView {
  readonly version: number;
  readonly publishedAtMs: number;
  readonly publishedBy: string;
  readonly message: string;
  readonly bundles: number;
  readonly changedEnvoys: number;
}

export interface AuditView {
  readonly sequence: number;
  readonly id: string;
  readonly atMs: number;
  readonly type: string;
  readonly actor: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly traceparent?: string;
  /** SHA-256, hex; actors/audit/chain.ts says over what. */
  readonly hash: string;
}

export interface StatusView {
  readonly version: string;
  readonly startedAtMs: number;
  readonly policyVersion: number;
  readonly envoys: Readonly<Record<string, number>>;
  readonly process: { readonly pid: number; readonly rssBytes: number };
  readonly shards: readonly ShardView[];
  readonly sink: { readonly lagEvents: number; readonly databaseBytes: number };
}

export interface ShardView {
  readonly name: string;
  readonly connections: number;
  readonly checkIns: number;
  readonly reports: number;
  /** Refusals by error code since the shard started. */
  readonly refusals: Readonly<Record<string, number>>;
  /** SQL statements that this thread has executed; 0 by law. */
  readonly sqlStatements: number;
  readonly eventLoopDelayP99Ms: number;
}
