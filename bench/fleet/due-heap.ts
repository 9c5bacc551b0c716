/** Which of a fixed number of envoys is due first: a binary heap over times, without objects. */
export class DueHeap {
  readonly #dueMs: Float64Array;
  readonly #heap: Uint32Array;
  #size = 0;

  constructor(count: number) {
    this.#dueMs = new Float64Array(count);
    this.#heap = new Uint32Array(count);
  }

  /** Infinity when nobody is due. */
  get earliestMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.dueOf(this.#heap[0] ?? 0);
  }

  /** When this one was last due, or is. */
  dueOf(at: number): number {
    return this.#dueMs[at] ?? 0;
  }

  /** `at` is not in the heap. */
  push(at: number, dueMs: number): void {
    this.#dueMs[at] = dueMs;
    let place = this.#size;
    this.#size += 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent] ?? 0;
      if (this.dueOf(above) <= dueMs) break;
      this.#heap[place] = above;
      place = parent;
    }
    this.#heap[place] = at;
  }

  /** Takes out the one that is due first; undefined when there is none. */
  pop(): number | undefined {
    if (this.#size === 0) return undefined;
    const first = this.#heap[0];
    this.#size -= 1;
    const moved = this.#heap[this.#size] ?? 0;
    const movedMs = this.dueOf(moved);
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && this.#dueAt(right) < this.#dueAt(child)) child = right;
      if (movedMs <= this.#dueAt(child)) break;
      this.#heap[place] = this.#heap[child] ?? 0;
      place = child;
    }
    this.#heap[place] = moved;
    return first;
  }

  #dueAt(place: number): number {
    return this.dueOf(this.#heap[place] ?? 0);
  }
}
