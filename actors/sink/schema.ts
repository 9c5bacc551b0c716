import type { Generated } from 'kysely';
import type { AccountSchema } from './account-tables.ts';
import type { StoredAuditRow } from './audit-row.ts';
import type { AuditTreeSchema } from './audit-tree-tables.ts';
import type { FederationSchema } from './federation-records.ts';
import type { FleetSchema } from './fleet-tables.ts';
import type { IdentityChangesSchema } from './identity-changes.ts';
import type { PlanSchema } from './plan-tables.ts';

/** The tables of the durable sink. Times are milliseconds since the Unix epoch; hashes are hex. */
export interface SinkSchema
  extends PlanSchema,
    AuditTreeSchema,
    AccountSchema,
    FederationSchema,
    FleetSchema,
    IdentityChangesSchema {
  envoys: EnvoysTable;
  tokens: TokensTable;
  runs: RunsTable;
  resource_results: ResourceResultsTable;
  traits: TraitsTable;
  policy_versions: PolicyVersionsTable;
  audit_log: AuditLogTable;
  outbox_progress: OutboxProgressTable;
  admin_tokens: AdminTokensTable;
}

export interface EnvoysTable {
  envoy_id: string;
  hostname: string;
  public_key: Uint8Array;
  agent_version: string;
  certificate_serial: string;
  /** Null: it was issued before this was kept; known from the next one on. */
  certificate_issued_ms: number | null;
  certificate_ends_ms: number | null;
  enrolled_at_ms: number;
  revoked_at_ms: number | null;
  revoked_reason: string | null;
  last_seen_ms: number | null;
  /** Number of an EnvoyState (actors/envoy/states.ts). */
  state: number;
  /** When it came into this state; null before the first transition. */
  state_since_ms: number | null;
  /** JSON object {sinceMs, reason, by}; null: nobody works on it. */
  maintenance: string | null;
  /** Of the traits: "debian 13". */
  os: string;
  policy_version: number | null;
  /** Every report up to this one was in `runs` once. */
  settled_report_sequence: number;
  /** JSON object: what the envoy last said of an update; null before the first. */
  agent_update: string | null;
}

export interface TokensTable {
  id: string;
  hash: string;
  /** JSON array of globs. */
  match: string;
  created_at_ms: number;
  created_by: string;
  expires_at_ms: number;
  used_at_ms: number | null;
  used_by: string | null;
  revoked_at_ms: number | null;
}

export interface RunsTable {
  run_key: Generated<number>;
  run_id: string;
  envoy_id: string;
  report_sequence: number;
  policy_version: number;
  bundle_root: string;
  started_at_ms: number;
  duration_ms: number;
  received_at_ms: number;
  state: number;
  dry_run: number;
  policy_changed: number;
  offline: number;
  total: number;
  unchanged: number;
  created: number;
  updated: number;
  deleted: number;
  skipped: number;
  blocked: number;
  failed: number;
  /** JSON array of {code, message, atMs}. */
  incidents: string;
}

export interface ResourceResultsTable {
  run_key: number;
  position: number;
  resource_id: string;
  type: string;
  /** agent/protocol ResourceAction. */
  action: number;
  reason: string;
  diff: string;
  error_code: string;
  duration_ms: number;
}

export interface TraitsTable {
  envoy_id: string;
  hash: string;
  traits_json: string;
  received_at_ms: number;
}

export interface PolicyVersionsTable {
  version: number;
  published_at_ms: number;
  published_by: string;
  message: string;
  stack_hash: string;
  /** JSON array of hex roots; empty since there are details. */
  bundle_roots: string;
  changed_envoys: number;
  /** JSON object: origin, counts, approval. */
  details: string;
}

export type AuditLogTable = StoredAuditRow;

/** Named API tokens of people and programs. */
export interface AdminTokensTable {
  id: string;
  name: string;
  role: string;
  /** Hex. */
  token_sha256: string;
  created_at_ms: number;
  created_by: string;
  expires_at_ms: number | null;
  last_used_ms: number | null;
  revoked_at_ms: number | null;
  /** On whose behalf it acts; null: the token is a person or program of its own. */
  account_id: string | null;
  /** JSON array: all that it may do; null: what the role may. */
  permissions: string | null;
  /** JSON array of envoy selectors that it is limited to; null: every envoy. */
  envoys: string | null;
}

/** How far each store's outbox has been taken over. */
export interface OutboxProgressTable {
  store_id: number;
  origin: string;
  sequence: number;
}
