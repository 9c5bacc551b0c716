import type { Clock } from '../../runtime/ports/clock.ts';
import { Wheel, WheelTimer } from '../../runtime/wheel.ts';
import { envoyLimit } from '../policy/tables.ts';

/** Envoys that one shard watches. */
export const watchLimit = envoyLimit;
/** Parts of the allowed silence: how often the thread shows that it runs, and what gap shows that it did not. */
const beatsPerLimit = 8;
const beatsMissed = 2;
/**
 * A fleet that is back in time after a start is back after one interval. One that still comes in numbers when half
 * of the allowed silence is over waits for us; but nobody is waited for longer than for so many limits.
 */
const waveFromLimits = 0.5;
const waveLimits = 3;
/** So many came within the last beat, and so many of those who are back. */
const waveLeast = 50;
const waveShare = 0.02;

export interface SilenceWatchParts {
  readonly clock: Clock;
  /** Allowed silence, milliseconds (convergence.ts). */
  readonly limitMs: number;
  /** Not heard of for that long, and forgotten here; who comes back is watched again. */
  readonly onSilent: (envoyId: string) => void;
}

/** When an envoy was last heard of, by the monotonic clock; as a timer, the next look. */
class Watched extends WheelTimer {
  readonly envoyId: string;
  seenMs: number;
  readonly #look: (watched: Watched) => void;

  constructor(envoyId: string, seenMs: number, look: (watched: Watched) => void) {
    super();
    this.envoyId = envoyId;
    this.seenMs = seenMs;
    this.#look = look;
  }

  due(): void {
    this.#look(this);
  }
}

/**
 * Tells which envoys of this shard fell silent. A timer per envoy waits in a wheel and looks, when it
 * is due, whether the envoy was heard of meanwhile; so a check-in costs one look into a map. Time in which
 * this thread did not run (a stopped process, a long pause) is nobody's silence, nor is that in which it was
 * too slow to take back all who came.
 */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  readonly #wheel: Wheel;
  readonly #watched = new Map<string, Watched>();
  readonly #lookAt = (watched: Watched): void => this.#look(watched);
  readonly #beatMs: number;
  /** Nobody counts as silent since before this. */
  #sinceMs: number;
  #aliveMs: number;
  /** When this thread began to run, or to run again. */
  #backMs: number;
  /** Heard of for the first time within this beat. */
  #came = 0;
  #beat: WheelTimer | undefined;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
    this.#wheel = new Wheel(parts.clock);
    this.#beatMs = parts.limitMs / beatsPerLimit;
    this.#sinceMs = parts.clock.monotonicMs();
    this.#aliveMs = this.#sinceMs;
    this.#backMs = this.#sinceMs;
    this.#beatOn();
  }

  get size(): number {
    return this.#watched.size;
  }

  has(envoyId: string): boolean {
    return this.#watched.has(envoyId);
  }

  /** Milliseconds until somebody who was not heard of since `seenMs` counts as silent. */
  leftMs(seenMs: number): number {
    const nowMs = this.#alive();
    return Math.max(seenMs, this.#sinceMs) + this.#parts.limitMs - nowMs;
  }

  /** The envoy is there now. */
  seen(envoyId: string): void {
    const nowMs = this.#alive();
    const known = this.#watched.get(envoyId);
    if (known !== undefined) {
      known.seenMs = nowMs;
      return;
    }
    this.#came += 1;
    this.#watch(envoyId, nowMs);
  }

  /** The envoy ought to be there: it has the allowed silence from now, or from when it was heard of. */
  expect(envoyId: string): void {
    if (!this.#watched.has(envoyId)) this.#watch(envoyId, this.#alive());
  }

  /** Another shard watches it. */
  forget(envoyId: string): void {
    this.#wheel.cancel(this.#watched.get(envoyId));
    this.#watched.delete(envoyId);
  }

  stop(): void {
    this.#wheel.cancel(this.#beat);
    this.#wheel.stop();
    this.#watched.clear();
  }

  #watch(envoyId: string, nowMs: number): void {
    if (this.#watched.size >= watchLimit) return;
    const watched = new Watched(envoyId, nowMs, this.#lookAt);
    this.#watched.set(envoyId, watched);
    this.#wheel.start(watched, this.#parts.limitMs);
  }

  #look(watched: Watched): void {
    const leftMs = this.leftMs(watched.seenMs);
    if (leftMs > 0) {
      this.#wheel.start(watched, leftMs);
      return;
    }
    this.#watched.delete(watched.envoyId);
    this.#parts.onSilent(watched.envoyId);
  }

  /** Now; notices that the thread did not run for a while. */
  #alive(): number {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#aliveMs >= beatsMissed * this.#beatMs) {
      this.#sinceMs = nowMs;
      this.#backMs = nowMs;
    }
    this.#aliveMs = nowMs;
    return nowMs;
  }

  #beatOn(): void {
    this.#beat = this.#wheel.add(this.#beatMs, () => {
      this.#heedWave(this.#alive());
      this.#beatOn();
    });
  }

  /** While many still come back, the others have the allowed silence anew. */
  #heedWave(nowMs: number): void {
    const isWave = this.#came >= Math.max(waveLeast, this.#watched.size * waveShare);
    this.#came = 0;
    const limits = (nowMs - this.#backMs) / this.#parts.limitMs;
    if (isWave && limits > waveFromLimits && limits < waveLimits) this.#sinceMs = nowMs;
  }
}
