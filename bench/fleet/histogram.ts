import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Latencies in microseconds; what is shown is milliseconds. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram();

  record(us: number): void {
    this.#histogram.record(Math.max(1, Math.round(us)));
  }

  add(other: Latencies): void {
    this.#histogram.add(other.#histogram);
  }

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

  static from(snapshot: RecordableHistogram): Latencies {
    const latencies = new Latencies();
    latencies.#histogram.add(snapshot);
    return latencies;
  }
}

export interface LatencySummary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}
