import { changed, type PassResult, type ResourceOutcome } from '../converge/result.ts';
import type { Action } from '../executors/contract.ts';
import type { ResourceState } from './run-state.ts';

/** Kept of a diff, characters; the server's copy has more. */
export const historyDiffLimit = 2048;

/**
 * Why the pass that acted came upon something to do: the first pass of another policy (or of another
 * secret) may change what was right before; any other pass repairs what something else has changed.
 */
export type ChangeCause = 'policy' | 'drift';

/** One thing that happened to one resource: it was changed, got into trouble, or out of it. */
export interface HistoryEntry {
  readonly id: string;
  readonly type: string;
  readonly action: Action;
  /** One line for a person; secrets removed. */
  readonly reason: string;
  /** "" unless in trouble. */
  readonly errorCode: string;
  /** At most `historyDiffLimit` characters, secrets removed; "" when there is none. */
  readonly diff: string;
  readonly atMs: number;
  /** UUID of the pass. */
  readonly runId: string;
  readonly policyVersion: number;
  readonly cause: ChangeCause;
  /** The pass ran without the server. */
  readonly offline: boolean;
}

export type HistoryFacts = Pick<HistoryEntry, 'runId' | 'policyVersion' | 'cause' | 'offline'>;

/** What of a pass belongs into the history, given how each resource stood before. */
export function historyEntries(
  result: PassResult,
  before: readonly ResourceState[],
  facts: HistoryFacts,
): HistoryEntry[] {
  if (result.dryRun) return [];
  let earlier: Map<string, ResourceState> | undefined;
  const beforeOf = (id: string): ResourceState | undefined => {
    earlier ??= new Map(before.map((state) => [state.id, state]));
    return earlier.get(id);
  };
  const wasInTrouble = before.some(({ errorCode }) => errorCode !== '');
  return result.resources.flatMap((outcome) =>
    isHistory(outcome, wasInTrouble, beforeOf) ? [entryOf(outcome, result.startedAtMs, facts)] : [],
  );
}

/** Trouble counts when it is new or another one, and so does its end. */
function isHistory(
  { id, action, errorCode }: ResourceOutcome,
  wasInTrouble: boolean,
  beforeOf: (id: string) => ResourceState | undefined,
): boolean {
  if (changed(action)) return true;
  if (errorCode === 'AGENT_ABORTED') return false;
  if (errorCode === '' && !wasInTrouble) return false;
  const state = beforeOf(id);
  if (errorCode === '') return (state?.errorCode ?? '') !== '';
  return state?.action !== action || state.errorCode !== errorCode;
}

function entryOf(outcome: ResourceOutcome, atMs: number, facts: HistoryFacts): HistoryEntry {
  const { id, type, action, reason, errorCode, diff } = outcome;
  return { id, type, action, reason, errorCode, diff: shortDiff(diff), atMs, ...facts };
}

/** Whole lines. */
function shortDiff(diff: string): string {
  if (diff.length <= historyDiffLimit) return diff;
  const cut = diff.slice(0, historyDiffLimit);
  return `${cut.slice(0, Math.max(cut.lastIndexOf('\n'), 0))}\n(cut here)\n`;
}
