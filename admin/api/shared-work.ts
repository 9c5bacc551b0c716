/** Answers that are kept at once; the oldest goes first. */
const keptMax = 64;

/** How new what was made before must be. */
export interface Freshness {
  /** The id of a live event that it has to know of. */
  readonly knows?: number;
  /** Milliseconds; what began longer ago is made anew. */
  readonly ageMsMax: number;
}

interface Kept {
  readonly beganMs: number;
  /** The newest live event when it began. */
  readonly position: number;
  readonly work: Promise<unknown>;
}

/** Work whose outcome many may have: who comes while it goes on, or soon after, gets the same. */
export class SharedWork {
  readonly #position: () => number;
  readonly #monotonicMs: () => number;
  readonly #kept = new Map<string, Kept>();

  /** `position`: the id of the newest live event; what it tells of stands in the database. */
  constructor(position: () => number, monotonicMs: () => number) {
    this.#position = position;
    this.#monotonicMs = monotonicMs;
  }

  /** `key` names the work and everything that its outcome depends on. What fails is not kept. */
  async once<T>(
    key: string,
    wanted: Freshness,
    work: (position: number) => Promise<T>,
  ): Promise<T> {
    const nowMs = this.#monotonicMs();
    const known = this.#kept.get(key);
    if (known !== undefined && isFresh(known, wanted, nowMs)) return (await known.work) as T;
    const position = this.#position();
    const made = { beganMs: nowMs, position, work: work(position) };
    this.#kept.delete(key);
    this.#kept.set(key, made);
    this.#dropOldest();
    try {
      return await made.work;
    } catch (error) {
      if (this.#kept.get(key) === made) this.#kept.delete(key);
      throw error;
    }
  }

  /** Something was changed by a request: nobody may be shown what was before. */
  forget(): void {
    this.#kept.clear();
  }

  #dropOldest(): void {
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptMax) return;
      this.#kept.delete(oldest);
    }
  }
}

function isFresh({ beganMs, position }: Kept, wanted: Freshness, nowMs: number): boolean {
  return nowMs - beganMs < wanted.ageMsMax && position >= (wanted.knows ?? 0);
}
