import type { PlannedGroup } from './messages.ts';

/** A stored plan as people and programs see it. */
export interface PlanView {
  readonly id: string;
  readonly createdAtMs: number;
  /** "admin:<name>". */
  readonly createdBy: string;
  readonly contentHash: string;
  /** The version that it was compared with; 0 = none. */
  readonly baseVersion: number;
  /** Envoys that the server knows. */
  readonly fleet: number;
  /** Envoys whose policy would change. */
  readonly envoys: number;
  readonly groups: readonly PlannedGroup[];
  /** What the server expects, by kind of change: resources, counted once per group. */
  readonly summary: Readonly<Record<string, number>>;
  /** What the envoys said; absent when none was asked. */
  readonly live?: RehearsalSummary;
}

export interface RehearsalSummary {
  readonly asked: number;
  readonly answered: number;
  readonly deadlineMs: number;
  /** Everybody answered, or the time is over. */
  readonly over: boolean;
  /** Host names that gave no answer (so far), the first of them. */
  readonly silent: readonly string[];
  /** Envoys that could not even try. */
  readonly troubles: readonly { readonly hostname: string; readonly trouble: string }[];
  /** Resources that some envoy would act on, or could not. */
  readonly resources: readonly RehearsedResource[];
  /** By action: resources, counted once however many envoys. */
  readonly summary: Readonly<Record<string, number>>;
}

export interface RehearsedResource {
  readonly id: string;
  readonly type: string;
  /** Envoys that answered and have the resource. */
  readonly envoys: number;
  /** Action -> envoys; "none": it is right already. */
  readonly actions: Readonly<Record<string, number>>;
  /** Envoys whose prediction rests on what an earlier resource's processes bring. */
  readonly assumed: number;
  readonly variants: readonly RehearsedVariant[];
  readonly moreVariants: number;
}

/** Envoys that said the very same. */
export interface RehearsedVariant {
  readonly action: string;
  readonly reason: string;
  readonly diff: string;
  readonly errorCode: string;
  readonly assumed: boolean;
  readonly envoys: number;
  /** One of them. */
  readonly hostname: string;
}

/** Predicted against actual. */
export interface FidelityView {
  readonly planId: string;
  readonly createdAtMs: number;
  readonly contentHash: string;
  /** The versions under which outcomes were compared; empty: it was not published, or nobody ran yet. */
  readonly versions: readonly number[];
  readonly envoys: { readonly changing: number; readonly compared: number };
  /** Matching predictions of all that could be determined, 0 to 1; absent without any. */
  readonly score?: number;
  readonly types: readonly FidelityRow[];
  readonly misses: readonly FidelityMiss[];
  /** Marked as assumptions, and came otherwise: neither right nor wrong. */
  readonly undetermined: readonly FidelityMiss[];
  readonly moreMisses: number;
}

export interface FidelityRow {
  /** "live": the envoys' own predictions; "server": what the server expected of the others. */
  readonly basis: string;
  readonly type: string;
  readonly predicted: number;
  readonly matching: number;
  readonly assumed: number;
  /** Of the assumed ones, those that came otherwise. */
  readonly undetermined: number;
  readonly unpredicted: number;
}

export interface FidelityMiss {
  readonly hostname: string;
  readonly resource: string;
  readonly type: string;
  readonly basis: string;
  readonly predicted: string;
  readonly actual: string;
  readonly assumed: boolean;
  /** What the run said about it. */
  readonly reason: string;
}

export interface PlanListItem {
  readonly id: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly contentHash: string;
  readonly baseVersion: number;
  readonly envoys: number;
  readonly asked: number;
}
