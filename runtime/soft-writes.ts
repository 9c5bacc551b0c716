import type { Committer } from './committer.ts';
import type { Operation, RangeOptions, StoreReader, Table } from './store.ts';
import type { Wheel, WheelTimer } from './wheel.ts';

/** Soft rows of one thread that may wait; one more makes all of them leave at once. */
export const softPendingLimit = 50_000;
/** Rows of one transaction: what it takes of the thread's time delays whoever asks meanwhile. */
const rowsPerWrite = 256;

/** Encoded when the store takes it: changes that the actor makes to the object until then go with it. */
interface SoftRow {
  readonly table: Table<unknown>;
  readonly key: string;
  value: unknown;
}

type SoftTable = Map<string, SoftRow>;

/**
 * Writes that may be lost in a crash, coalesced by key and flushed together. Readers of this thread
 * see them at once. An actor that keeps one object and changes it in place costs no copy per write: at
 * thousands of writes per second copies live long enough to become old garbage.
 */
export class SoftWrites implements StoreReader {
  readonly #store: StoreReader;
  readonly #committer: Committer;
  readonly #wheel: Wheel;
  readonly #flushMs: number;
  readonly #lost: (error: unknown) => void;
  #pending = new Map<string, SoftTable>();
  #flying = new Map<string, SoftTable>();
  #size = 0;
  #timer: WheelTimer | undefined;

  constructor(
    store: StoreReader,
    committer: Committer,
    wheel: Wheel,
    options: { flushMs: number; lost: (error: unknown) => void },
  ) {
    this.#store = store;
    this.#committer = committer;
    this.#wheel = wheel;
    this.#flushMs = options.flushMs;
    this.#lost = options.lost;
  }

  put(table: Table<unknown>, key: string, value: unknown): void {
    let rows = this.#pending.get(table.name);
    if (!rows) {
      rows = new Map();
      this.#pending.set(table.name, rows);
    }
    const waiting = rows.get(key);
    if (waiting !== undefined) {
      waiting.value = value;
      return;
    }
    rows.set(key, { table, key, value });
    this.#size += 1;
    if (this.#size >= softPendingLimit) this.flush();
    else this.#timer ??= this.#wheel.add(this.#flushMs, () => this.flush());
  }

  /** A hard write of the same row overtakes the soft one. */
  overtake(operations: readonly Operation[]): void {
    if (this.#size === 0) return;
    for (const { table, key } of operations) {
      if (this.#pending.get(table.name)?.delete(key)) this.#size -= 1;
    }
  }

  flush(done: (error: unknown) => void = () => undefined): void {
    this.#wheel.cancel(this.#timer);
    this.#timer = undefined;
    if (this.#size === 0) {
      done(undefined);
      return;
    }
    const rows = [...this.#pending.values()].flatMap((table) => [...table.values()]);
    for (const row of rows) this.#fly(row);
    this.#pending = new Map();
    this.#size = 0;
    // Neighbours go together: a transaction copies each page that it touches once.
    rows.sort(byKey);
    this.#writeInParts(rows, done);
  }

  /** All are handed over at once: a later write of a row must stay behind this one. */
  #writeInParts(rows: readonly SoftRow[], done: (error: unknown) => void): void {
    let left = Math.ceil(rows.length / rowsPerWrite);
    let failed: unknown;
    for (let from = 0; from < rows.length; from += rowsPerWrite) {
      this.#write(rows.slice(from, from + rowsPerWrite), (error) => {
        failed ??= error;
        left -= 1;
        if (left === 0) done(failed);
      });
    }
  }

  /** A refused flush is halved until the row that the store does not take stands alone. */
  #write(rows: readonly SoftRow[], done: (error: unknown) => void): void {
    this.#committer.commit({
      operations: rows.map(
        ({ table, key, value }): Operation => ({ op: 'put', table, key, value }),
      ),
      durable: undefined,
      settled: (error) => {
        if (error !== undefined && rows.length > 1) {
          const middle = rows.length >> 1;
          this.#write(rows.slice(0, middle), () => this.#write(rows.slice(middle), done));
          return;
        }
        for (const row of rows) this.#land(row);
        if (error !== undefined) this.#lost(error);
        done(error);
      },
    });
  }

  get<V>(table: Table<V>, key: string): V | undefined {
    const row = this.#pending.get(table.name)?.get(key) ?? this.#flying.get(table.name)?.get(key);
    return row ? asStored(table, row) : this.#store.get(table, key);
  }

  *range<V>(table: Table<V>, options: RangeOptions): Iterable<readonly [string, V]> {
    const pending = this.#pending.get(table.name);
    const flying = this.#flying.get(table.name);
    const soft = new Map<string, V>();
    for (const row of [...(flying?.values() ?? []), ...(pending?.values() ?? [])]) {
      if (options.from !== undefined && compareKeys(row.key, options.from) < 0) continue;
      if (options.to !== undefined && compareKeys(row.key, options.to) >= 0) continue;
      soft.set(row.key, asStored(table, row));
    }
    if (soft.size === 0) {
      yield* this.#store.range(table, options);
      return;
    }
    const merged = new Map<string, V>(this.#store.range(table, options));
    for (const [key, value] of soft) merged.set(key, value);
    const sign = options.reverse ? -1 : 1;
    const rows = [...merged].sort(([a], [b]) => sign * compareKeys(a, b));
    yield* rows.slice(0, options.limit);
  }

  /** Rows that readers of other threads see; soft rows that are new come with the next flush. */
  count<V>(table: Table<V>): number {
    return this.#store.count(table);
  }

  #fly(row: SoftRow): void {
    const rows = this.#flying.get(row.table.name) ?? new Map<string, SoftRow>();
    rows.set(row.key, row);
    this.#flying.set(row.table.name, rows);
  }

  #land(row: SoftRow): void {
    const rows = this.#flying.get(row.table.name);
    if (rows?.get(row.key) === row) rows.delete(row.key);
  }
}

/** What the store would give: an object of the reader's own. */
function asStored<V>({ codec }: Table<V>, { value }: SoftRow): V {
  return codec.decode(codec.encode(value as V));
}

/** Any order that keeps neighbours together will do. */
function byKey(a: SoftRow, b: SoftRow): number {
  if (a.table !== b.table) return a.table.name < b.table.name ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

/** Order of the UTF-8 bytes, which is the order of code points, not of UTF-16 units. */
function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
