import type { Clock } from '../../../runtime/ports/clock.ts';

/** Blocks the thread; what comes meanwhile waits in the kernel. */
export type Pause = (delayMs: number) => void;

export interface CoalescingOptions {
  /** The longest pause in milliseconds; 0 = never pause. */
  readonly delayMsMax: number;
  readonly pause: Pause;
  /** True while work is at hand that a pause would hold up. */
  readonly isBusy: () => boolean;
}

/** Requests that one look at the sockets should find; more gain little, and each waits for the rest. */
export const batchGoal = 8;
/** Below this rate nothing would gather within a pause. Requests per second. */
export const leastRate = 100;
/** Above this rate a shard finds company for each request without resting. Requests per second. */
export const mostRate = 1500;
const rateWindowMs = 250;

/**
 * Lets check-ins gather: after a shard has answered what was there it rests for a few milliseconds
 * before it looks at its sockets again, as a network card holds back its interrupts (`ethtool -C
 * rx-usecs`). A request that comes alone is answered at once, since the pause comes after the answer.
 * Awake once per request, a thread spends more on waking and on cold caches than on the request.
 */
export class Coalescing {
  readonly #clock: Clock;
  readonly #options: CoalescingOptions;
  #came = 0;
  #isUrgent = false;
  #scheduled = false;
  #windowCame = 0;
  #windowFromMs: number;
  #perSecond = 0;

  constructor(clock: Clock, options: CoalescingOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#windowFromMs = clock.monotonicMs();
  }

  /** A request was read. An urgent one is answered by work that is still to be done here. */
  came(isUrgent: boolean): void {
    this.#came += 1;
    if (isUrgent) this.#isUrgent = true;
    if (this.#scheduled || this.#options.delayMsMax === 0) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#rest());
  }

  #rest(): void {
    const came = this.#came;
    const isUrgent = this.#isUrgent;
    this.#scheduled = false;
    this.#came = 0;
    this.#isUrgent = false;
    this.#measure(came);
    if (isUrgent || came >= batchGoal || this.#options.isBusy()) return;
    if (this.#perSecond < leastRate || this.#perSecond > mostRate) return;
    this.#options.pause(Math.min(this.#options.delayMsMax, (batchGoal / this.#perSecond) * 1000));
  }

  #measure(came: number): void {
    this.#windowCame += came;
    const nowMs = this.#clock.monotonicMs();
    const passedMs = nowMs - this.#windowFromMs;
    if (passedMs < rateWindowMs) return;
    this.#perSecond = (this.#windowCame / passedMs) * 1000;
    this.#windowCame = 0;
    this.#windowFromMs = nowMs;
  }
}
