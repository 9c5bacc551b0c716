import type { AgentErrorCode } from '../errors.ts';
import type { Action } from '../executors/contract.ts';

/** What one resource did in a pass, or would do. Maps field by field to proto ResourceResult. */
export interface ResourceOutcome {
  /** "module/resource". */
  readonly id: string;
  readonly type: string;
  readonly action: Action;
  /** One line for a person. */
  readonly reason: string;
  /** Unified diff or attribute list, at most 16 KiB, secrets removed; "" when there is none. */
  readonly diff: string;
  /** "" unless failed or blocked, or skipped because of another resource. */
  readonly errorCode: AgentErrorCode | '';
  readonly durationMs: number;
  /** Of a dry run: rests on what an earlier resource's processes are expected to bring. */
  readonly assumed?: boolean;
}

/** How one resource ended: its outcome without what the pass adds. */
export type Ending = Pick<ResourceOutcome, 'action' | 'reason'> &
  Partial<Pick<ResourceOutcome, 'diff' | 'errorCode' | 'assumed'>>;

export interface PassSummary {
  readonly total: number;
  readonly unchanged: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly skipped: number;
  readonly blocked: number;
  readonly failed: number;
}

/**
 * converged: changed nothing, failed nothing. changed: repaired something. degraded: some failed or
 * were blocked. failed: all of those that had a say did.
 */
export type PassState = 'converged' | 'changed' | 'degraded' | 'failed';

export interface PassResult {
  readonly dryRun: boolean;
  readonly state: PassState;
  readonly summary: PassSummary;
  /** Of every resource of the bundle, in the order of enforcement. */
  readonly resources: readonly ResourceOutcome[];
  /** Resources whose trigger is still to be served: what the next pass gets. */
  readonly pendingTriggers: readonly string[];
  /** The signal ended the pass before its end. */
  readonly aborted: boolean;
  readonly startedAtMs: number;
  readonly durationMs: number;
}

export function changed(action: Action): boolean {
  return action === 'created' || action === 'updated' || action === 'deleted';
}

export function summarize(resources: readonly ResourceOutcome[]): PassSummary {
  const count = (action: Action) => resources.filter((one) => one.action === action).length;
  return {
    total: resources.length,
    unchanged: count('none'),
    created: count('created'),
    updated: count('updated'),
    deleted: count('deleted'),
    skipped: count('skipped'),
    blocked: count('blocked'),
    failed: count('failed'),
  };
}

export function passState(summary: PassSummary): PassState {
  const bad = summary.blocked + summary.failed;
  const good = summary.unchanged + summary.created + summary.updated + summary.deleted;
  if (bad > 0) return good === 0 ? 'failed' : 'degraded';
  return good > summary.unchanged ? 'changed' : 'converged';
}
