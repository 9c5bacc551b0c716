import type { WatchProgress, WatchTimes } from './fleet-watch.ts';
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

export type WorkerOrder =
  /** Sign the check-ins of so many milliseconds before their time. */
  | { readonly order: 'sign-ahead'; readonly forMs: number }
  /** Count from zero now. */
  | { readonly order: 'measure' }
  /** Begin nothing new, and say what was counted. */
  | { readonly order: 'finish' }
  /** Look for answers to what begins from now on, and for a policy of this version. */
  | { readonly order: 'watch'; readonly version: number }
  /** Say what the watch has seen. */
  | { readonly order: 'tell-watch' }
  /** Check in at one of so many due times; report changes with so large a share of the check-ins. */
  | { readonly order: 'pace'; readonly every: number; readonly changed: number }
  /** So large a share of the envoys reports changes, all at this time (epoch, milliseconds). */
  | { readonly order: 'burst'; readonly share: number; readonly atMs: number };

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
  | {
      readonly word: 'progress';
      readonly counts: TallyCounts;
      readonly watch: WatchProgress;
      /** Of this thread since the last word, 0 to 1. */
      readonly utilization: number;
      /** Of the check-ins since the window was opened, milliseconds. */
      readonly latencyP99Ms: number;
    }
  /** What was to be signed before its time is signed. */
  | { readonly word: 'signed' }
  /** The window is open: counters stand at zero. */
  | { readonly word: 'measuring' }
  | { readonly word: 'watched'; readonly times: WatchTimes }
  /** Every envoy is connected and has checked in. */
  | { readonly word: 'ready' }
  | { readonly word: 'failed'; readonly reason: string }
  | WorkerResult;
