const baseMs = 1000;
const capFloorMs = 4000;
const capIntervals = 2;
const doublingLimit = 20;

/**
 * The wait between two attempts, as the agent takes it: uniform between 0 and a ceiling that doubles
 * from a second to the longer of 4 s and two intervals; what the server asks for comes before.
 */
export class Backoff {
  readonly #capMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(intervalMs: number, random: () => number) {
    this.#capMs = Math.max(capFloorMs, capIntervals * intervalMs);
    this.#random = random;
  }

  next(retryAfterMs = 0): number {
    const ceiling = Math.min(this.#capMs, baseMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, doublingLimit);
    return retryAfterMs + this.#random() * ceiling;
  }
}
