import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Times in microseconds; what is shown is milliseconds. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram();

  record(us: number): void {
    this.#histogram.record(Math.max(1, Math.round(us)));
  }

  add(snapshot: RecordableHistogram): void {
    this.#histogram.add(snapshot);
  }

  /** Zeros when nothing was recorded. */
  summary(): LatencySummary {
    const ms = (us: number) => Math.round(us / 10) / 100;
    if (this.#histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    return {
      p50: ms(this.#histogram.percentile(50)),
      p99: ms(this.#histogram.percentile(99)),
      max: ms(this.#histogram.max),
    };
  }

  /** A form that crosses threads. */
  snapshot(): RecordableHistogram {
    return this.#histogram;
  }

  /** Percentiles of all the recordings together, not means of percentiles. */
  static sum(snapshots: readonly RecordableHistogram[]): Latencies {
    const all = new Latencies();
    for (const snapshot of snapshots) if (snapshot.count > 0) all.add(snapshot);
    return all;
  }
}

/** Milliseconds. */
export interface LatencySummary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}
