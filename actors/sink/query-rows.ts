import { ConvergenceState, ResourceAction } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { genesisHead } from '../audit/chain.ts';
import type { RunRow } from './queries.ts';
import { tokenRecord } from './records.ts';
import type { AuditLogTable, ResourceResultsTable, TokensTable } from './schema.ts';

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
  readonly reportSequence: number;
  readonly startedAtMs: number;
  readonly receivedAtMs: number;
  readonly durationMs: number;
  readonly policyVersion: number;
  readonly state: string;
  readonly dryRun: boolean;
  readonly offline: boolean;
  readonly policyChanged: boolean;
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

export interface AuditView {
  readonly sequence: number;
  readonly id: string;
  readonly atMs: number;
  readonly type: string;
  readonly actor: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly traceparent?: string;
  readonly previousHash: string;
  readonly hash: string;
}

export type { PolicyVersionView } from './policy-versions.ts';

/** What one run came to; the state of an envoy is another matter (actors/envoy/states.ts). */
export const runStates = ['converged', 'changed', 'degraded', 'failed'] as const;

const runStateNames = new Map<number, string>([
  [ConvergenceState.CONVERGENCE_STATE_UNSPECIFIED, 'no data'],
  [ConvergenceState.CONVERGENCE_STATE_CONVERGED, 'converged'],
  [ConvergenceState.CONVERGENCE_STATE_CHANGED, 'changed'],
  [ConvergenceState.CONVERGENCE_STATE_DEGRADED, 'degraded'],
  [ConvergenceState.CONVERGENCE_STATE_FAILED, 'failed'],
]);

const actionNames = new Map<number, string>([
  [ResourceAction.RESOURCE_ACTION_NONE, 'none'],
  [ResourceAction.RESOURCE_ACTION_CREATED, 'created'],
  [ResourceAction.RESOURCE_ACTION_UPDATED, 'updated'],
  [ResourceAction.RESOURCE_ACTION_DELETED, 'deleted'],
  [ResourceAction.RESOURCE_ACTION_SKIPPED, 'skipped'],
  [ResourceAction.RESOURCE_ACTION_BLOCKED, 'blocked'],
  [ResourceAction.RESOURCE_ACTION_FAILED, 'failed'],
]);

export function actionName(action: number): string {
  return actionNames.get(action) ?? `action ${action}`;
}

export function runStateName(state: number): string {
  return runStateNames.get(state) ?? `state ${state}`;
}

/** -1, which no row has, for a name that is none. */
export function runStateNumber(name: string): number {
  for (const [number, known] of runStateNames) if (known === name) return number;
  return -1;
}

export function tokenView(row: TokensTable): TokenView {
  const { hash: _secret, ...view } = tokenRecord(row);
  return view;
}

export function runView(row: RunRow): RunView {
  return {
    id: row.run_id,
    envoyId: row.envoy_id,
    hostname: row.hostname ?? '',
    reportSequence: row.report_sequence,
    startedAtMs: row.started_at_ms,
    receivedAtMs: row.received_at_ms,
    durationMs: row.duration_ms,
    policyVersion: row.policy_version,
    state: runStateName(row.state),
    dryRun: row.dry_run !== 0,
    offline: row.offline !== 0,
    policyChanged: row.policy_changed !== 0,
    total: row.total,
    unchanged: row.unchanged,
    created: row.created,
    updated: row.updated,
    deleted: row.deleted,
    skipped: row.skipped,
    blocked: row.blocked,
    failed: row.failed,
  };
}

export function runDetailView(
  row: RunRow,
  results: readonly ResourceResultsTable[],
): RunDetailView {
  return {
    ...runView(row),
    incidents: JSON.parse(row.incidents) as RunDetailView['incidents'],
    results: results.map((result) => ({
      id: result.resource_id,
      type: result.type,
      action: actionName(result.action),
      reason: result.reason,
      diff: result.diff,
      errorCode: result.error_code,
      durationMs: result.duration_ms,
    })),
  };
}

export function auditView(row: AuditLogTable & { previous_hash: string | null }): AuditView {
  return {
    sequence: row.sequence,
    id: row.id,
    atMs: row.at_ms,
    type: row.type,
    actor: row.actor,
    subject: row.subject,
    details: JSON.parse(row.details) as AuditView['details'],
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    previousHash: row.previous_hash ?? genesisHead.hash,
    hash: row.hash,
  };
}
