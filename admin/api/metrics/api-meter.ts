import type { Clock } from '../../../runtime/ports/clock.ts';

/** Upper bounds of the answer time's buckets, seconds. */
export const durationBounds: readonly number[] = [0.005, 0.025, 0.1, 0.25, 1, 5, 30];

/** Series that are kept; the route table and the status codes give fewer. */
const seriesLimit = 2000;

interface Series {
  readonly route: string;
  readonly method: string;
  readonly counts: number[];
  sumSeconds: number;
}

/** Counts what the REST API answered: by route as the table has it, never by what a stranger typed. */
export class ApiMeter {
  readonly #answers = new Map<
    string,
    { route: string; method: string; status: number; count: number }
  >();
  readonly #durations = new Map<string, Series>();
  readonly #refusals = new Map<string, number>();
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #inFlight = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Requests being answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** A request came; call what is returned when it was answered. `code`: of a refusal. */
  begin(method: string): (route: string, status: number, code?: string) => void {
    const startMs = this.#clock.monotonicMs();
    this.#inFlight += 1;
    return (route, status, code) => {
      this.#inFlight -= 1;
      this.#answered(method, route, status, (this.#clock.monotonicMs() - startMs) / 1000);
      if (code !== undefined) this.#refused(code);
    };
  }

  #answered(method: string, route: string, status: number, seconds: number): void {
    const key = `${method} ${route}`;
    const answer = this.#answers.get(`${key} ${status}`);
    if (answer !== undefined) answer.count += 1;
    else if (this.#answers.size < seriesLimit)
      this.#answers.set(`${key} ${status}`, { route, method, status, count: 1 });
    let series = this.#durations.get(key);
    if (series === undefined) {
      if (this.#durations.size >= seriesLimit) return;
      const counts = new Array<number>(durationBounds.length + 1).fill(0);
      series = { route, method, counts, sumSeconds: 0 };
      this.#durations.set(key, series);
    }
    const bucket = durationBounds.findIndex((bound) => seconds <= bound);
    const at = bucket === -1 ? durationBounds.length : bucket;
    series.counts[at] = (series.counts[at] ?? 0) + 1;
    series.sumSeconds += seconds;
  }

  #refused(code: string): void {
    if (!this.#refusals.has(code) && this.#refusals.size >= seriesLimit) return;
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  answers(): Iterable<{ route: string; method: string; status: number; count: number }> {
    return this.#answers.values();
  }

  durations(): Iterable<Readonly<Series>> {
    return this.#durations.values();
  }

  refusals(): Iterable<readonly [code: string, count: number]> {
    return this.#refusals;
  }
}
