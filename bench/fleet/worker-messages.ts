import type { TallyCounts, TallyHistograms } from './tally.ts';

/** What the main thread gives a generator thread. */
export interface WorkerStart {
  readonly identitiesFile: string;
  /** This worker's part of the identities. */
  readonly from: number;
  readonly to: number;
  readonly host: string;
  readonly port: number;
  readonly caPem: string;
  readonly intervalMs: number;
  readonly rampMs: number;
  readonly changed: number;
}

/** Main to worker: count from zero now; then: begin nothing new, and say what was counted. */
export type WorkerOrder = 'measure' | 'finish';

export interface WorkerResult {
  readonly word: 'result';
  /** Up to the end of the window. */
  readonly inWindow: TallyCounts;
  /** With the check-ins that were under way at the end of the window: none is left uncounted. */
  readonly counts: TallyCounts;
  readonly histograms: TallyHistograms;
  /** Share of the window in which this thread's event loop was busy, 0 to 1. */
  readonly utilization: number;
}

export type WorkerWord =
  | { readonly word: 'progress'; readonly counts: TallyCounts }
  /** Every envoy is connected and has checked in. */
  | { readonly word: 'ready' }
  | { readonly word: 'failed'; readonly reason: string }
  | WorkerResult;
