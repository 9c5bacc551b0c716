import type { RestartIntensity } from './actor.ts';

/** Keys with a failure history, or parked, per kind. The oldest give way. */
export const failureRecordLimit = 10_000;
/** How long a parked actor refuses before it is tried again. */
export const parkedForMs = 60_000;

/** Counts failures in a sliding window, as an Erlang/OTP supervisor does. */
export class RestartCounter {
  readonly #intensity: RestartIntensity;
  #failures: number[] = [];

  constructor(intensity: RestartIntensity) {
    this.#intensity = intensity;
  }

  /** Notes a failure. False when it was one more than the intensity allows. */
  mayRestart(nowMs: number): boolean {
    const since = nowMs - this.#intensity.withinMs;
    this.#failures = this.#failures.filter((at) => at > since);
    this.#failures.push(nowMs);
    return this.#failures.length <= this.#intensity.maxRestarts;
  }
}

/** Failure histories and parked keys of one actor kind. Times are monotonic milliseconds. */
export class Supervisor {
  readonly #intensity: RestartIntensity;
  readonly #counters = new Map<string, RestartCounter>();
  readonly #parked = new Map<string, number>();

  constructor(intensity: RestartIntensity) {
    this.#intensity = intensity;
  }

  isParked(key: string, nowMs: () => number): boolean {
    if (this.#parked.size === 0) return false;
    const until = this.#parked.get(key);
    if (until === undefined) return false;
    if (nowMs() < until) return true;
    this.#parked.delete(key);
    return false;
  }

  failed(key: string, nowMs: number): 'restart' | 'park' {
    let counter = this.#counters.get(key);
    if (!counter) {
      dropOldest(this.#counters);
      counter = new RestartCounter(this.#intensity);
    }
    this.#counters.delete(key);
    if (counter.mayRestart(nowMs)) {
      this.#counters.set(key, counter);
      return 'restart';
    }
    dropOldest(this.#parked);
    this.#parked.set(key, nowMs + parkedForMs);
    return 'park';
  }
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size < failureRecordLimit) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
