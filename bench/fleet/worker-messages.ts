import type { RecordableHistogram } from 'node:perf_hooks';

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

/** Main to worker: count from zero now; then: say what was counted and end. */
export type WorkerOrder = 'measure' | 'finish';

export interface WorkerCounts {
  readonly connected: number;
  readonly done: number;
  readonly reports: number;
  readonly missed: number;
  readonly errors: Readonly<Record<string, number>>;
}

export type WorkerWord =
  | { readonly word: 'progress'; readonly counts: WorkerCounts }
  /** Every envoy is connected and has checked in. */
  | { readonly word: 'ready' }
  | {
      readonly word: 'result';
      readonly counts: WorkerCounts;
      readonly checkIns: RecordableHistogram;
      readonly reports: RecordableHistogram;
    };
