import type { PassResult, PassState, ResourceOutcome } from './converge/result.ts';
import type { Action } from './executors/contract.ts';
import {
  type AgentIncident,
  ConvergenceState,
  ReportRequest,
  ResourceAction,
  type ResourceResult,
} from './protocol/gen/vigo/v1/agent.ts';
import { reportBodyLimit, reportIncidentLimit, reportResultLimit } from './protocol/limits.ts';

/** A trouble that does not change is reported again after this time, not every pass. */
export const repeatedReportMs = 300_000;

/** Resource id to "action errorCode"; resources that are as declared are left out. */
export type ReportedStates = Readonly<Record<string, string>>;

export const wireState: Readonly<Record<PassState, ConvergenceState>> = {
  converged: ConvergenceState.CONVERGENCE_STATE_CONVERGED,
  changed: ConvergenceState.CONVERGENCE_STATE_CHANGED,
  degraded: ConvergenceState.CONVERGENCE_STATE_DEGRADED,
  failed: ConvergenceState.CONVERGENCE_STATE_FAILED,
};

const wireAction: Readonly<Record<Action, ResourceAction>> = {
  none: ResourceAction.RESOURCE_ACTION_NONE,
  created: ResourceAction.RESOURCE_ACTION_CREATED,
  updated: ResourceAction.RESOURCE_ACTION_UPDATED,
  deleted: ResourceAction.RESOURCE_ACTION_DELETED,
  skipped: ResourceAction.RESOURCE_ACTION_SKIPPED,
  blocked: ResourceAction.RESOURCE_ACTION_BLOCKED,
  failed: ResourceAction.RESOURCE_ACTION_FAILED,
};

export function statesOf(result: PassResult): ReportedStates {
  const states: Record<string, string> = {};
  for (const { id, action, errorCode } of result.resources)
    if (action !== 'none') states[id] = `${action} ${errorCode}`;
  return states;
}

export interface ReportQuestion {
  readonly result: PassResult;
  readonly reported: ReportedStates | undefined;
  /** Negative after the clock was set back. */
  readonly sinceReportMs: number;
  readonly policyChanged: boolean;
  readonly incidents: number;
}

/**
 * Whether the server learns something new: a change was made, a state differs from what was last
 * reported, a policy was adopted, something happened to the agent, or old trouble stays.
 */
export function worthReporting(question: ReportQuestion): boolean {
  const { result, reported } = question;
  if (question.policyChanged || question.incidents > 0 || reported === undefined) return true;
  const { created, updated, deleted, failed, blocked } = result.summary;
  if (!result.dryRun && created + updated + deleted > 0) return true;
  if (differs(statesOf(result), reported)) return true;
  return failed + blocked > 0 && Math.abs(question.sinceReportMs) >= repeatedReportMs;
}

function differs(now: ReportedStates, before: ReportedStates): boolean {
  const ids = Object.keys(now);
  return ids.length !== Object.keys(before).length || ids.some((id) => now[id] !== before[id]);
}

export interface ReportParts {
  readonly reportSequence: number;
  /** UUID, 16 bytes. */
  readonly runId: Uint8Array;
  readonly policyVersion: number;
  readonly bundleRoot: Uint8Array;
  readonly policyChanged: boolean;
  readonly offline: boolean;
  readonly incidents: readonly AgentIncident[];
  /** The plan that a rehearsal answers, 16 bytes. */
  readonly rehearsalPlanId?: Uint8Array;
}

/** The report of a pass: what acted, differs from the last report, or is only assumed to be right. */
export function reportOf(
  result: PassResult,
  reported: ReportedStates,
  parts: ReportParts,
): ReportRequest {
  const told = result.resources.filter(
    ({ id, action, assumed }) =>
      action !== 'none' || assumed === true || reported[id] !== undefined,
  );
  return bounded({
    ...header(parts),
    startedAtMs: result.startedAtMs,
    durationMs: Math.round(result.durationMs),
    state: wireState[result.state],
    dryRun: result.dryRun,
    summary: { ...result.summary },
    results: told.slice(0, reportResultLimit).map(wireResult),
  });
}

/** What is reported when no pass could run. */
export function incidentReport(parts: ReportParts, nowMs: number): ReportRequest {
  return bounded({
    ...header(parts),
    startedAtMs: nowMs,
    durationMs: 0,
    state: ConvergenceState.CONVERGENCE_STATE_FAILED,
    dryRun: false,
    summary: undefined,
    results: [],
  });
}

/** The same report without what may be too much for the server; it keeps its sequence. */
export function strippedReport(report: ReportRequest, incident: AgentIncident): ReportRequest {
  return { ...report, results: [], incidents: [incident] };
}

function header(parts: ReportParts) {
  return {
    ...parts,
    incidents: parts.incidents.slice(-reportIncidentLimit),
    rehearsalPlanId: parts.rehearsalPlanId ?? new Uint8Array(0),
  };
}

function wireResult(outcome: ResourceOutcome): ResourceResult {
  return {
    id: outcome.id,
    type: outcome.type,
    action: wireAction[outcome.action],
    reason: outcome.reason,
    diff: outcome.diff,
    errorCode: outcome.errorCode,
    durationMs: Math.round(outcome.durationMs),
    assumed: outcome.assumed === true,
  };
}

/** Gives up diffs first, then results from the end, until the report fits its method. */
function bounded(report: ReportRequest): ReportRequest {
  if (fits(report)) return report;
  const incident = {
    code: 'AGENT_RESULT_TOO_LARGE',
    message: `${report.results.length} results do not fit one report; diffs were left out`,
    atMs: report.startedAtMs,
  };
  let cut: ReportRequest = {
    ...report,
    incidents: [...report.incidents, incident],
    results: report.results.map((result) => ({ ...result, diff: '' })),
  };
  while (!fits(cut) && cut.results.length > 0)
    cut = { ...cut, results: cut.results.slice(0, Math.floor(cut.results.length / 2)) };
  return cut;
}

function fits(report: ReportRequest): boolean {
  return ReportRequest.encode(report).finish().length <= reportBodyLimit;
}
