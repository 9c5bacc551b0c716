import type { SignedRehearsal } from '../../agent/protocol/gen/vigo/v1/bundle.ts';

/** Of one generator thread's envoys; times in milliseconds since the epoch, 0 = not yet. */
export interface WatchTimes {
  /** When the envoy first had an answer to a check-in that it began after `sinceMs`. */
  readonly back: Float64Array;
  /** When it first held a policy of at least the watched version. */
  readonly taken: Float64Array;
  /** When the server had first answered a check-in that named this version. */
  readonly told: Float64Array;
  /** When the server had acknowledged its answer to a plan's question. */
  readonly rehearsed: Float64Array;
  /** Longest time between two answers since the watch began, milliseconds. */
  readonly longestGap: Float64Array;
}

/** How far a watch has come, in envoys. */
export interface WatchProgress {
  readonly back: number;
  readonly taken: number;
  readonly told: number;
  readonly rehearsed: number;
}

/** Sees when each envoy is answered, and with which policy. */
export class FleetWatch {
  readonly #lastAnswer: Float64Array;
  #sinceMs = 0;
  #version = Number.POSITIVE_INFINITY;
  #times: WatchTimes;
  /** The plan whose question each envoy has answered. */
  readonly #plans: (Uint8Array | undefined)[];

  constructor(envoys: number) {
    this.#lastAnswer = new Float64Array(envoys);
    this.#plans = Array.from({ length: envoys }, () => undefined);
    this.#times = emptyTimes(envoys);
  }

  /** Forgets what was seen. `version`: the policy to look for. */
  begin(sinceMs: number, version: number): void {
    this.#sinceMs = sinceMs;
    this.#version = version;
    this.#times = emptyTimes(this.#lastAnswer.length);
  }

  /** `told`: the policy version that the check-in named; `held`: what the envoy has now. */
  answered(at: number, seen: { beganMs: number; nowMs: number; told: number; held: number }): void {
    const { back, taken, told, longestGap } = this.#times;
    const { nowMs } = seen;
    const last = this.#lastAnswer[at] ?? 0;
    if (last > 0 && nowMs - last > (longestGap[at] ?? 0)) longestGap[at] = nowMs - last;
    this.#lastAnswer[at] = nowMs;
    if (back[at] === 0 && seen.beganMs >= this.#sinceMs) back[at] = nowMs;
    if (taken[at] === 0 && seen.held >= this.#version) taken[at] = nowMs;
    if (told[at] === 0 && seen.told >= this.#version) told[at] = nowMs;
  }

  /** Whether this plan's question is a new one for the envoy; agents rehearse a plan once. */
  isNew(at: number, { manifest }: SignedRehearsal): boolean {
    const before = this.#plans[at];
    return manifest !== undefined && !(before && Buffer.compare(before, manifest.planId) === 0);
  }

  /** The answer to this question is durable. */
  answeredPlan(at: number, { manifest }: SignedRehearsal, nowMs: number): void {
    this.#plans[at] = manifest?.planId;
    const { rehearsed } = this.#times;
    if (rehearsed[at] === 0) rehearsed[at] = nowMs;
  }

  /** How many are back, have taken the version, have told of it, have answered a plan. */
  progress(): WatchProgress {
    const { back, taken, told, rehearsed } = this.#times;
    return {
      back: nonZero(back),
      taken: nonZero(taken),
      told: nonZero(told),
      rehearsed: nonZero(rehearsed),
    };
  }

  /** With the time that envoys without an answer have waited until now. */
  times(nowMs: number): WatchTimes {
    const longestGap = this.#times.longestGap.map((gap, at) =>
      Math.max(gap, nowMs - (this.#lastAnswer[at] ?? nowMs)),
    );
    return { ...this.#times, longestGap };
  }
}

export function emptyTimes(envoys: number): WatchTimes {
  const zeros = () => new Float64Array(envoys);
  return {
    back: zeros(),
    taken: zeros(),
    told: zeros(),
    rehearsed: zeros(),
    longestGap: zeros(),
  };
}

export function joinTimes(parts: readonly WatchTimes[]): WatchTimes {
  const all = (pick: (part: WatchTimes) => Float64Array) =>
    Float64Array.from(parts.flatMap((part) => [...pick(part)]));
  return {
    back: all(({ back }) => back),
    taken: all(({ taken }) => taken),
    told: all(({ told }) => told),
    rehearsed: all(({ rehearsed }) => rehearsed),
    longestGap: all(({ longestGap }) => longestGap),
  };
}

function nonZero(values: Float64Array): number {
  let count = 0;
  for (const value of values) if (value > 0) count += 1;
  return count;
}
