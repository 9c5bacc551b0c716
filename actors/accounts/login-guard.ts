/** Names and addresses that are remembered, each; who was quiet for longest is forgotten first. */
export const guardLimit = 10_000;
/** Failures that cost no waiting; many people may share one address. */
const freeFailures = { name: 5, address: 20 } as const;
const delayFirstMs = 1_000;
/** Short for a name, or strangers could keep its owner out; long for an address. */
const longestMs = { name: 60_000, address: 900_000 } as const;
/** After this long without a failure a name or an address starts anew. */
const forgetMs = 3_600_000;

interface Failures {
  readonly count: number;
  readonly lastMs: number;
  readonly notBeforeMs: number;
}

/**
 * Slows down who guesses: each failure after the free ones doubles the wait, for the name and for the
 * address. A try counts as failed when it begins, so that many at once gain nothing; a success takes it
 * back. Names are counted whether or not there is such an account.
 */
export class LoginGuard {
  readonly #failures = {
    name: new Map<string, Failures>(),
    address: new Map<string, Failures>(),
  };

  /** Milliseconds until the next try; 0 = this try may go on, and is counted. */
  begin(name: string, address: string, nowMs: number): number {
    const waitMs = Math.max(
      this.#waitMs('name', name, nowMs),
      this.#waitMs('address', address, nowMs),
    );
    if (waitMs > 0) return waitMs;
    this.#fail('name', name, nowMs);
    this.#fail('address', address, nowMs);
    return 0;
  }

  /** Who knows one password may still be guessing others: the address gets only this try back. */
  succeeded(name: string, address: string): void {
    this.#failures.name.delete(name);
    const known = this.#failures.address.get(address);
    if (known === undefined) return;
    if (known.count <= 1) this.#failures.address.delete(address);
    else {
      const { lastMs } = known;
      this.#failures.address.set(address, { count: known.count - 1, lastMs, notBeforeMs: 0 });
    }
  }

  get size(): number {
    return this.#failures.name.size + this.#failures.address.size;
  }

  #waitMs(kind: 'name' | 'address', key: string, nowMs: number): number {
    const known = this.#failures[kind].get(key);
    if (known === undefined || nowMs - known.lastMs >= forgetMs) return 0;
    // A clock that went back must not lock anybody out for longer than the rule says.
    return Math.min(Math.max(0, known.notBeforeMs - nowMs), longestMs[kind]);
  }

  #fail(kind: 'name' | 'address', key: string, nowMs: number): void {
    const failures = this.#failures[kind];
    const known = failures.get(key);
    const fresh = known === undefined || nowMs - known.lastMs >= forgetMs;
    const count = fresh ? 1 : known.count + 1;
    const doublings = count - freeFailures[kind] - 1;
    const waitMs =
      doublings < 0 ? 0 : Math.min(delayFirstMs * 2 ** Math.min(doublings, 20), longestMs[kind]);
    failures.delete(key);
    failures.set(key, { count, lastMs: nowMs, notBeforeMs: nowMs + waitMs });
    for (const oldest of failures.keys()) {
      if (failures.size <= guardLimit) break;
      failures.delete(oldest);
    }
  }
}
