/** An envoy never leaves out more than one due time in a row. */
const paceMax = 2;

/**
 * Which due times of an envoy are left out, evenly: the part that is to be left out adds up to whole
 * ones, so that the server calls nobody offline.
 */
export class LeftOut {
  #sum: number;

  /** `start`: 0 to 1, spread over the envoys, so that they take turns. */
  constructor(start: number) {
    this.#sum = start;
  }

  /** `every`: so many intervals lie between two check-ins; up to 2. */
  next(every: number): boolean {
    if (every <= 1) return false;
    this.#sum += 1 - 1 / Math.min(paceMax, every);
    if (this.#sum < 1) return false;
    this.#sum -= 1;
    return true;
  }
}
