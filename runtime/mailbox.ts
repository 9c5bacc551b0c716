const firstCapacity = 4;

/** A first-in first-out queue that refuses beyond its limit. Grows as needed, starts small. */
export class Mailbox<T> {
  readonly limit: number;
  #ring: (T | undefined)[] = [];
  #head = 0;
  #length = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** False when the limit is reached; the item is then not taken. */
  push(item: T): boolean {
    if (this.#length >= this.limit) return false;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length += 1;
    return true;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return item;
  }

  /** Takes everything out, oldest first. */
  drain(): T[] {
    const items: T[] = [];
    while (this.#length > 0) items.push(this.shift() as T);
    this.#ring = [];
    this.#head = 0;
    return items;
  }

  /** Capacity stays a power of two, so that a mask replaces the division. */
  #grow(): void {
    const capacity = Math.max(firstCapacity, this.#ring.length * 2);
    const ring = new Array<T | undefined>(capacity);
    for (let i = 0; i < this.#length; i += 1) {
      ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    }
    this.#ring = ring;
    this.#head = 0;
  }
}
