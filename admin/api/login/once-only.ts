import { AdminError } from '../../errors.ts';

/** Remembered at once; beyond, somebody has to wait for a minute. */
const defaultMax = 10_000;

/** What may be used once. Each is forgotten when it would have ended by itself. */
export class OnceOnly {
  readonly #nowMs: () => number;
  readonly #max: number;
  /** When it ends, by its name. */
  readonly #used = new Map<string, number>();

  constructor(nowMs: () => number, max = defaultMax) {
    this.#nowMs = nowMs;
    this.#max = max;
  }

  has(name: string): boolean {
    return this.#used.has(name);
  }

  /** False when it was used before. Throws API_BUSY when too many are remembered. */
  use(name: string, expiresAtMs: number): boolean {
    if (this.#used.has(name)) return false;
    if (this.#used.size >= this.#max) this.#forgetEnded();
    if (this.#used.size >= this.#max) throw new AdminError('API_BUSY', 'too many logins at once');
    this.#used.set(name, expiresAtMs);
    return true;
  }

  #forgetEnded(): void {
    const now = this.#nowMs();
    for (const [name, expiresAtMs] of this.#used) {
      if (expiresAtMs <= now) this.#used.delete(name);
    }
  }
}
