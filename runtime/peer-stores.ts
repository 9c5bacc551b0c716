import { LmdbReader } from './lmdb-reader.ts';
import type { Clock } from './ports/clock.ts';
import type { RangeOptions, StoreReader, Table } from './store.ts';

/** How often a reader looks whether the owner has put another store in the place of its own. */
const checkEveryMs = 100;
const pollMs = 10;

/**
 * Another thread's store that may not be there yet and may be replaced when its thread is: opened
 * when it is first read, opened again after a recovery. Without a store it reads as empty.
 */
export class PeerStore implements StoreReader {
  readonly #directory: string;
  readonly #clock: Clock;
  #reader: LmdbReader | undefined;
  #checkedMs = Number.NEGATIVE_INFINITY;

  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  get<V>(table: Table<V>, key: string): V | undefined {
    return this.#current()?.get(table, key);
  }

  range<V>(table: Table<V>, options: RangeOptions): Iterable<readonly [key: string, value: V]> {
    return this.#current()?.range(table, options) ?? [];
  }

  count<V>(table: Table<V>): number {
    return this.#current()?.count(table) ?? 0;
  }

  /** Whether the owner has it open by now; until then it reads as empty. */
  get isOpen(): boolean {
    return this.#current() !== undefined;
  }

  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  #current(): LmdbReader | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (this.#reader !== undefined && nowMs - this.#checkedMs < checkEveryMs) return this.#reader;
    if (this.#reader !== undefined && !this.#reader.isCurrent()) this.close();
    try {
      this.#reader ??= new LmdbReader(this.#directory);
    } catch {
      return undefined;
    }
    this.#checkedMs = nowMs;
    return this.#reader;
  }
}

/** Readers of the threads' stores, by thread name, as `joinSystem` and `startRuntime` want them. */
export function peerStores(
  threads: readonly string[],
  directoryOf: (thread: string) => string,
  clock: Clock,
): Record<string, PeerStore> {
  return Object.fromEntries(
    threads.map((thread) => [thread, new PeerStore(directoryOf(thread), clock)]),
  );
}

/** Resolves when every owner has its store open, or after `deadlineMs` with the names of the rest. */
export async function waitForPeers(
  stores: Readonly<Record<string, PeerStore>>,
  clock: Clock,
  deadlineMs: number,
): Promise<string[]> {
  const untilMs = clock.monotonicMs() + deadlineMs;
  for (;;) {
    const closed = Object.keys(stores).filter((name) => stores[name]?.isOpen === false);
    if (closed.length === 0 || clock.monotonicMs() >= untilMs) return closed;
    await new Promise<void>((resolve) => {
      clock.after(pollMs, resolve);
    });
  }
}
