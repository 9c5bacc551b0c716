import type { RecordableHistogram } from 'node:perf_hooks';
import { Latencies } from './histogram.ts';

/** Kinds of errors counted apart. */
const errorCodesMax = 100;
const otherCode = 'OTHER';

/** What was counted, in a form that crosses threads. */
export interface TallyCounts {
  readonly connected: number;
  /** Check-ins that were answered before the envoy's next due time. */
  readonly done: number;
  /** Check-ins that were not. */
  readonly missed: number;
  /** Reports that the server acknowledged as durable. */
  readonly reports: number;
  /** Of these, those of a burst, and when the last one of it was acknowledged (epoch, ms). */
  readonly bursts: number;
  readonly lastBurstMs: number;
  /** Connections made again after they were lost. */
  readonly reconnects: number;
  /** Of these, those that resumed a TLS session. */
  readonly resumed: number;
  /** Failed attempts, code -> count. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface TallyHistograms {
  /** All in microseconds. */
  readonly checkIns: RecordableHistogram;
  readonly reports: RecordableHistogram;
  /** How long after its due time the generator began a check-in. */
  readonly lateStarts: RecordableHistogram;
}

export const emptyCounts: TallyCounts = {
  connected: 0,
  done: 0,
  missed: 0,
  reports: 0,
  bursts: 0,
  lastBurstMs: 0,
  reconnects: 0,
  resumed: 0,
  errors: {},
};

/** What one generator thread counts and measures. */
export class Tally {
  connected = 0;
  done = 0;
  missed = 0;
  reports = 0;
  bursts = 0;
  lastBurstMs = 0;
  reconnects = 0;
  resumed = 0;
  #errors: Record<string, number> = {};
  readonly checkInLatencies = new Latencies();
  readonly reportLatencies = new Latencies();
  readonly lateStarts = new Latencies();

  failed(code: string): void {
    const full = Object.keys(this.#errors).length >= errorCodesMax;
    const name = full && !(code in this.#errors) ? otherCode : code;
    this.#errors[name] = (this.#errors[name] ?? 0) + 1;
  }

  counts(): TallyCounts {
    const { connected, done, missed, reports, bursts, lastBurstMs, reconnects, resumed } = this;
    const counts = { connected, done, missed, reports, bursts, lastBurstMs, reconnects, resumed };
    return { ...counts, errors: { ...this.#errors } };
  }

  histograms(): TallyHistograms {
    return {
      checkIns: this.checkInLatencies.snapshot(),
      reports: this.reportLatencies.snapshot(),
      lateStarts: this.lateStarts.snapshot(),
    };
  }
}

export function sumCounts(a: TallyCounts, b: TallyCounts): TallyCounts {
  const errors: Record<string, number> = { ...a.errors };
  for (const [code, count] of Object.entries(b.errors)) errors[code] = (errors[code] ?? 0) + count;
  return {
    connected: a.connected + b.connected,
    done: a.done + b.done,
    missed: a.missed + b.missed,
    reports: a.reports + b.reports,
    bursts: a.bursts + b.bursts,
    lastBurstMs: Math.max(a.lastBurstMs, b.lastBurstMs),
    reconnects: a.reconnects + b.reconnects,
    resumed: a.resumed + b.resumed,
    errors,
  };
}
