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
  /** Its flush has begun, and the committer does not have it yet. */
  waits: boolean;
  /** A hard write of the same row is on its way. */
  held: boolean;
}

type SoftTable = Map<string, SoftRow>;

/**
 * Writes that may be lost in a crash, coalesced by key and flushed together, one part after the other: what
 * somebody waits for gets in between. Readers of this thread see them at once. An actor that keeps one object
 * and changes it in place costs no copy per write: at thousands of writes per second copies live long enough
 * to become old garbage.
 */
export class SoftWrites implements StoreReader {
  readonly #store: StoreReader;
  readonly #committer: Committer;
  readonly #wheel: Wheel;
  readonly #flushMs: number;
  readonly #lost: (error: unknown) => void;
  #pending = new Map<string, SoftTable>();
  #flying = new Map<string, SoftTable>();
  /** Rows whose flush has begun, in the order in which they go; some are gone already. */
  #leaving: SoftRow[] = [];
  #isLeaving = false;
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
    const leaving = this.#flying.get(table.name)?.get(key);
    if (leaving?.waits) {
      leaving.value = value;
      return;
    }
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
    rows.set(key, { table, key, value, waits: false, held: false });
    this.#size += 1;
    if (this.#size >= softPendingLimit) this.flush();
    else this.#arm();
  }

  /**
   * Before a hard write is committed: older soft writes of its rows stay here, since behind it they would
   * undo it. Then comes `overtake`, or `release`.
   */
  hold(operations: readonly Operation[]): void {
    if (this.#size === 0 && this.#leaving.length === 0) return;
    for (const { table, key } of operations) {
      const pending = this.#pending.get(table.name)?.get(key);
      if (pending !== undefined) pending.held = true;
      else this.#callBack(table, key);
    }
  }

  /** The hard write is there: it overtakes the soft ones. */
  overtake(operations: readonly Operation[]): void {
    if (this.#size === 0) return;
    for (const { table, key } of operations) {
      if (this.#pending.get(table.name)?.delete(key)) this.#size -= 1;
    }
  }

  /** The hard write was refused. */
  release(operations: readonly Operation[]): void {
    for (const { table, key } of operations) {
      const row = this.#pending.get(table.name)?.get(key);
      if (row === undefined) continue;
      row.held = false;
      this.#arm();
    }
  }

  #arm(): void {
    this.#timer ??= this.#wheel.add(this.#flushMs, () => this.#leave());
  }

  /** A row that waits for its part is pending again, and held. */
  #callBack(table: Table<unknown>, key: string): void {
    const flying = this.#flying.get(table.name);
    const row = flying?.get(key);
    if (flying === undefined || !row?.waits) return;
    row.waits = false;
    flying.delete(key);
    const pending = this.#pending.get(table.name) ?? new Map<string, SoftRow>();
    pending.set(key, { ...row, held: true });
    this.#pending.set(table.name, pending);
    this.#size += 1;
  }

  /** Everything is handed over at once. `done` is called when no soft write is on its way any more. */
  flush(done: (error: unknown) => void = () => undefined): void {
    this.#begin();
    const rows = this.#leaving.filter(({ waits }) => waits);
    this.#leaving = [];
    let left = 1 + Math.ceil(rows.length / rowsPerWrite);
    let failed: unknown;
    const one = (error: unknown) => {
      failed ??= error;
      left -= 1;
      if (left === 0) done(failed);
    };
    for (let from = 0; from < rows.length; from += rowsPerWrite) {
      this.#handOver(rows.slice(from, from + rowsPerWrite), one);
    }
    this.#afterEarlier(() => one(undefined));
  }

  /** Commits settle in their order. */
  #afterEarlier(done: () => void): void {
    const isFlying = [...this.#flying.values()].some(({ size }) => size > 0);
    if (!isFlying) done();
    else this.#committer.commit({ operations: [], durable: undefined, settled: () => done() });
  }

  /** All that is pending is to leave now. */
  #begin(): void {
    this.#wheel.cancel(this.#timer);
    this.#timer = undefined;
    if (this.#size === 0) return;
    const rows = [...this.#pending.values()].flatMap((table) => this.#takeFree(table));
    this.#size -= rows.length;
    for (const row of rows) this.#fly(row);
    // Neighbours go together: a transaction copies each page that it touches once.
    rows.sort(byKey);
    this.#leaving = this.#leaving.length === 0 ? rows : [...this.#leaving, ...rows];
  }

  #takeFree(table: SoftTable): SoftRow[] {
    const free: SoftRow[] = [];
    for (const row of table.values()) {
      if (row.held) continue;
      table.delete(row.key);
      free.push(row);
    }
    return free;
  }

  #leave(): void {
    this.#begin();
    if (!this.#isLeaving) this.#nextPart();
  }

  #nextPart(): void {
    const part: SoftRow[] = [];
    let at = 0;
    for (; at < this.#leaving.length && part.length < rowsPerWrite; at += 1) {
      const row = this.#leaving[at] as SoftRow;
      if (row.waits) part.push(row);
    }
    this.#leaving = this.#leaving.slice(at);
    this.#isLeaving = part.length > 0;
    if (this.#isLeaving) this.#handOver(part, () => this.#nextPart());
  }

  #handOver(rows: readonly SoftRow[], done: (error: unknown) => void): void {
    for (const row of rows) row.waits = false;
    this.#write(rows, done);
  }

  /** A refused flush is halved until the row that the store does not take stands alone. */
  #write(rows: readonly SoftRow[], done: (error: unknown) => void): void {
    this.#committer.commit({
      operations: rows.map(
        ({ table, key, value }): Operation => ({ op: 'put', table, key, value }),
      ),
      durable: undefined,
      isPrompt: true,
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
    row.waits = true;
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
