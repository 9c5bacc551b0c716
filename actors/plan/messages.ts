import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import type { Address } from '../../runtime/actor.ts';
import type { ValidationResult } from '../publish/messages.ts';

/** Plans: what a stack would change, before it is live. One actor, in the service pool. */
export type PlanMessages = {
  /**
   * Reads the stack once and compares it with what is live, group by group. With `live` the envoys are
   * asked too; their answers come in later, until `deadlineMs`. Rejects with PUBLISH_INVALID, PLAN_*.
   */
  create: { payload: PlanRequest; reply: PlanCreated };
  /** From the sink: these envoys need not be asked again. */
  answered: { payload: { planId: string; envoyIds: readonly string[] }; reply: undefined };
  /** The actor's own timer: forget candidates that nobody may answer any more. */
  sweep: { payload: Record<string, never>; reply: undefined };
};

export interface PlanRequest {
  /** Defaults to the server's stack directory. */
  readonly directory?: string;
  /** "admin:<name>". */
  readonly by: string;
  readonly live?: LiveRequest;
}

/** Which connected envoys dry-run the candidate. */
export interface LiveRequest {
  /** Of each group so many; absent: all, up to `rehearsalLimit`. */
  readonly sample?: number;
  /** Globs of host names; absent: every one. */
  readonly target?: readonly string[];
  /** How long answers are waited for; absent: two check-in intervals and some. */
  readonly waitMs?: number;
}

export interface PlanCreated {
  readonly id: string;
  readonly contentHash: string;
  readonly validation: ValidationResult;
  /** Envoys that were asked; 0 without `live`. */
  readonly asked: number;
  /** 0 without `live`. */
  readonly deadlineMs: number;
}

/**
 * What is expected of a resource. unmanage: it is no longer declared, and stays on the node as it is.
 * trigger: it acts because a resource that changes triggers it. unknown: only the node can tell.
 */
export type PlannedChange =
  | 'create'
  | 'update'
  | 'delete'
  | 'trigger'
  | 'unmanage'
  | 'skip'
  | 'none'
  | 'unknown';

export interface ParameterChange {
  readonly name: string;
  /** Absent: the parameter is new. */
  readonly before?: PolicyValue;
  /** Absent: the parameter is gone. */
  readonly after?: PolicyValue;
}

export interface PlannedResource {
  /** "module/resource". */
  readonly id: string;
  readonly type: string;
  readonly change: PlannedChange;
  /** One line for a person. */
  readonly reason: string;
  readonly parameters: readonly ParameterChange[];
  /** Of the group's evaluated envoys, those that this row is about. */
  readonly envoys: number;
}

/** Envoys that go from the same bundle to the same other one. */
export interface PlannedGroup {
  /** Hex; "" = nothing was assigned. */
  readonly oldRoot: string;
  readonly newRoot: string;
  readonly envoys: number;
  /** The first few, by id. */
  readonly hostnames: readonly string[];
  /** Envoys of the group whose traits templates and conditions were evaluated with. */
  readonly evaluated: number;
  /** All but those that stay as they are. */
  readonly resources: readonly PlannedResource[];
  /** Resources that do not change. */
  readonly unchanged: number;
  /** Rows that were left out at the limit. */
  readonly omitted: number;
}

/** Groups that one plan tells apart. */
export const planGroupLimit = 500;
/** Rows of one group. */
export const planResourceLimit = 2_000;
/** Envoys that one plan asks. */
export const rehearsalLimit = 5_000;
/** Plans that the database keeps. */
export const planKeepLimit = 20;

export function planAddress(): Address<PlanMessages> {
  return { kind: 'plan', key: 'main' };
}
