import { LmdbReader } from './lmdb-reader.ts';
import type { Clock } from './ports/clock.ts';
import type { RangeOptions, StoreReader, Table } from './store.ts';

/** How often a reader looks whether the owner has put another store in the place of its own. */
const checkEveryMs = 100;

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

  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  #current(): LmdbReader | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#checkedMs < checkEveryMs) return this.#reader;
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
