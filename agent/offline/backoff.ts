/** First ceiling of the wait after a failure. */
export const backoffBaseMs = 1000;
/** No wait is longer, unless the server asks for more. */
export const backoffCapMs = 300_000;
/** Beyond this many failures the ceiling has long been reached. */
const doublingLimit = 20;

/** Exponential backoff with full jitter: the wait is uniform between 0 and a doubling ceiling. */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * `atLeastMs`: what the server asked for; the jitter is added to it. `capMs`: a lower cap, for
   * agents that are meant to call often.
   */
  next(atLeastMs = 0, capMs = backoffCapMs): number {
    const ceiling = Math.min(backoffCapMs, capMs, backoffBaseMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, doublingLimit);
    return atLeastMs + Math.floor(this.#random() * ceiling);
  }

  reset(): void {
    this.#failures = 0;
  }
}
