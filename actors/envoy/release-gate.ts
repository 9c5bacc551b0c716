import { exposureHash } from '../policy/exposure.ts';

/** An envoy that asked for no part for so long has given its place up. */
const placeHeldMs = 60_000;
/** Envoys that are told to come back and counted, to say when. */
const waitingLimit = 100_000;
const leastWaitMs = 2_000;
const longestWaitMs = 900_000;
/** Until a first download was seen to its end. */
const assumedDownloadMs = 10_000;
/** Weight of the newest download in the mean. */
const newest = 0.2;

export interface GateLimits {
  /** Envoys that fetch at the same time. */
  readonly places: number;
  readonly bytesPerSecond: number;
}

interface Place {
  readonly sinceMs: number;
  usedMs: number;
}

/**
 * Spreads the downloads of one shard: so many at a time, so many bytes per second. Who does not get a
 * place is told when to come back, by how many wait already and how long a download takes, and not
 * everybody at the same moment.
 */
export class ReleaseGate {
  readonly #limits: GateLimits;
  readonly #places = new Map<string, Place>();
  /** Envoy -> when it was told to come back. */
  readonly #waiting = new Map<string, number>();
  #meanMs = assumedDownloadMs;
  /** Bytes that may be sent now; below zero: what was sent ahead. */
  #budget: number;
  #budgetAtMs = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
    this.#budget = limits.bytesPerSecond;
  }

  /** 0: send; otherwise milliseconds after which to ask again. Times are monotonic. */
  admit(envoyId: string, bytes: number, nowMs: number): number {
    const place = this.#places.get(envoyId);
    if (place === undefined && !this.#take(envoyId, nowMs)) return this.#wait(envoyId, nowMs);
    const held = this.#places.get(envoyId);
    if (held !== undefined) held.usedMs = nowMs;
    const { bytesPerSecond } = this.#limits;
    const gained = ((nowMs - this.#budgetAtMs) / 1000) * bytesPerSecond;
    this.#budget = Math.min(bytesPerSecond, this.#budget + gained);
    this.#budgetAtMs = nowMs;
    if (this.#budget <= 0)
      return Math.max(leastWaitMs, Math.ceil((-this.#budget / bytesPerSecond) * 1000));
    this.#budget -= bytes;
    return 0;
  }

  /** The envoy has all of it. */
  done(envoyId: string, nowMs: number): void {
    const place = this.#places.get(envoyId);
    if (place === undefined) return;
    this.#places.delete(envoyId);
    this.#meanMs += newest * (nowMs - place.sinceMs - this.#meanMs);
  }

  #take(envoyId: string, nowMs: number): boolean {
    if (this.#places.size >= this.#limits.places) {
      for (const [id, { usedMs }] of this.#places)
        if (nowMs - usedMs > placeHeldMs) this.#places.delete(id);
    }
    if (this.#places.size >= this.#limits.places) return false;
    this.#waiting.delete(envoyId);
    this.#places.set(envoyId, { sinceMs: nowMs, usedMs: nowMs });
    return true;
  }

  #wait(envoyId: string, nowMs: number): number {
    for (const [id, untilMs] of this.#waiting) {
      // In the order in which they were told, which is nearly that of their return.
      if (untilMs + placeHeldMs > nowMs) break;
      this.#waiting.delete(id);
    }
    const ahead = this.#waiting.size;
    const rounds = 1 + ahead / this.#limits.places;
    const share = 0.5 + exposureHash('wait', envoyId) / 2 ** 32;
    const waitMs = Math.min(longestWaitMs, Math.max(leastWaitMs, rounds * this.#meanMs * share));
    this.#waiting.delete(envoyId);
    if (ahead < waitingLimit) this.#waiting.set(envoyId, nowMs + waitMs);
    return Math.ceil(waitMs);
  }
}
