import type { Committer } from './committer.ts';
import type { Operation, RangeOptions, StoreReader, Table } from './store.ts';
import type { Wheel, WheelTimer } from './wheel.ts';

/** Soft rows of one thread that may wait; one more makes all of them leave at once. */
export const softPendingLimit = 50_000;
/** Rows of one transaction: what it takes of the thread's time delays whoever asks meanwhile. */
const rowsPerWrite = 256;
/** A row that was not written for so many flushes is forgotten (64 s at 250 ms). */
const flushesRemembered = 256;
/** Remembered rows that one flush looks at, to forget some: all in a minute, and no pause. */
const sweptPerFlush = 1024;
/** Beyond so many a row is forgotten as soon as it is written. */
const rememberedLimit = 250_000;

/**
 * A row that somebody wrote softly, lately. It is kept from one write to the next, since rows and map entries
 * of their own for each write would live for just long enough to become old garbage.
 */
interface SoftRow {
  readonly table: Table<unknown>;
  readonly key: string;
  /** Encoded when the store takes it: changes that the actor makes to the object until then go with it. */
  value: unknown;
  /** It leaves with the next flush. */
  isPending: boolean;
  /** Its flush has begun, and the committer does not have it yet. */
  waits: boolean;
  /** How many times the committer has it. */
  handed: number;
  /** A hard write of the same row is on its way. */
  held: boolean;
  /** A hard write came after what the committer has. */
  isOvertaken: boolean;
  /** Number of the flush in which it was written last. */
  lastFlush: number;
}

/**
 * Writes that may be lost in a crash, coalesced by key and flushed together, one part after the other: what
 * somebody waits for gets in between. Readers of this thread see them at once. An actor that keeps one object
 * and changes it in place costs no copy per write.
 */
export class SoftWrites implements StoreReader {
  readonly #store: StoreReader;
  readonly #committer: Committer;
  readonly #wheel: Wheel;
  readonly #flushMs: number;
  readonly #lost: (error: unknown) => void;
  readonly #tables = new Map<string, Map<string, SoftRow>>();
  /** Some of them are pending no longer. */
  #pending: SoftRow[] = [];
  /** Rows whose flush has begun, in the order in which they go; some are gone already. */
  #leaving: SoftRow[] = [];
  #isLeaving = false;
  /** Rows that the committer has. */
  #handed = 0;
  #flushes = 0;
  #swept: Iterator<SoftRow> | undefined;
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

  /** Rows that are remembered; most of them are in the store as well. */
  get remembered(): number {
    let rows = 0;
    for (const { size } of this.#tables.values()) rows += size;
    return rows;
  }

  put(table: Table<unknown>, key: string, value: unknown): void {
    const row = this.#row(table, key);
    row.value = value;
    row.isOvertaken = false;
    row.lastFlush = this.#flushes;
    if (row.waits || row.isPending) return;
    this.#await(row);
    if (this.#pending.length >= softPendingLimit) this.flush();
    else this.#arm();
  }

  /**
   * Before a hard write is committed: older soft writes of its rows stay here, since behind it they would
   * undo it. Then comes `overtake`, or `release`.
   */
  hold(operations: readonly Operation[]): void {
    for (const { table, key } of operations) {
      const row = this.#known(table, key);
      if (row === undefined || !isOnItsWay(row)) continue;
      row.held = true;
      if (!row.waits) continue;
      row.waits = false;
      this.#await(row);
    }
  }

  /** The hard write is there: it overtakes the soft ones. */
  overtake(operations: readonly Operation[]): void {
    for (const { table, key } of operations) {
      const row = this.#known(table, key);
      if (!row?.held) continue;
      row.held = false;
      row.isPending = false;
      row.isOvertaken = true;
      this.#settle(row);
    }
  }

  /** The hard write was refused. */
  release(operations: readonly Operation[]): void {
    for (const { table, key } of operations) {
      const row = this.#known(table, key);
      if (!row?.held) continue;
      row.held = false;
      if (row.isPending) this.#arm();
    }
  }

  #arm(): void {
    this.#timer ??= this.#wheel.add(this.#flushMs, () => this.#leave());
  }

  #known(table: Table<unknown>, key: string): SoftRow | undefined {
    return this.#tables.get(table.name)?.get(key);
  }

  #row(table: Table<unknown>, key: string): SoftRow {
    let rows = this.#tables.get(table.name);
    if (rows === undefined) {
      rows = new Map();
      this.#tables.set(table.name, rows);
    }
    const known = rows.get(key);
    if (known !== undefined) return known;
    const row: SoftRow = {
      ...{ table, key, value: undefined, isPending: false, waits: false },
      ...{ handed: 0, held: false, isOvertaken: false, lastFlush: 0 },
    };
    rows.set(key, row);
    return row;
  }

  #await(row: SoftRow): void {
    row.isPending = true;
    this.#pending.push(row);
  }

  /** Everything is handed over at once. `done` is called when no soft write is on its way any more. */
  flush(done: (error: unknown) => void = () => undefined): void {
    this.#begin();
    const rows = this.#takeLeaving(this.#leaving.length);
    let left = 1 + Math.ceil(rows.length / rowsPerWrite);
    let failed: unknown;
    const one = (error: unknown) => {
      failed ??= error;
      left -= 1;
      if (left === 0) done(failed);
    };
    const wasHanded = this.#handed > 0;
    for (let from = 0; from < rows.length; from += rowsPerWrite) {
      this.#handOver(rows.slice(from, from + rowsPerWrite), one);
    }
    if (wasHanded) this.#afterEarlier(() => one(undefined));
    else one(undefined);
  }

  /** Commits settle in their order. */
  #afterEarlier(done: () => void): void {
    this.#committer.commit({ operations: [], durable: undefined, settled: () => done() });
  }

  /** All that is pending is to leave now. */
  #begin(): void {
    this.#wheel.cancel(this.#timer);
    this.#timer = undefined;
    this.#flushes += 1;
    this.#sweep();
    const rows: SoftRow[] = [];
    const held: SoftRow[] = [];
    for (const row of this.#pending) {
      if (!row.isPending) continue;
      // An entry of before it was overtaken may be there as well: the first one takes it.
      row.isPending = row.held;
      row.waits = !row.held;
      (row.held ? held : rows).push(row);
    }
    this.#pending = held;
    // Neighbours go together: a transaction copies each page that it touches once.
    rows.sort(byKey);
    this.#leaving = this.#leaving.length === 0 ? rows : [...this.#leaving, ...rows];
  }

  #leave(): void {
    this.#begin();
    if (!this.#isLeaving) this.#nextPart();
  }

  #nextPart(): void {
    const part = this.#takeLeaving(rowsPerWrite);
    this.#isLeaving = part.length > 0;
    if (this.#isLeaving) this.#handOver(part, () => this.#nextPart());
  }

  #takeLeaving(limit: number): SoftRow[] {
    const part: SoftRow[] = [];
    let at = 0;
    for (; at < this.#leaving.length && part.length < limit; at += 1) {
      const row = this.#leaving[at] as SoftRow;
      if (!row.waits) continue;
      row.waits = false;
      part.push(row);
    }
    this.#leaving = this.#leaving.slice(at);
    return part;
  }

  #handOver(rows: readonly SoftRow[], done: (error: unknown) => void): void {
    for (const row of rows) row.handed += 1;
    this.#handed += rows.length;
    this.#write(rows, done);
  }

  #write(rows: readonly SoftRow[], done: (error: unknown) => void): void {
    this.#committer.commit({
      operations: rows.map(
        ({ table, key, value }): Operation => ({ op: 'put', table, key, value }),
      ),
      durable: undefined,
      isPrompt: true,
      settled: (error) => {
        if (error !== undefined && rows.length > 1) this.#writeHalves(rows, done);
        else this.#land(rows, error, done);
      },
    });
  }

  /** A refused flush is halved until the row that the store does not take stands alone. */
  #writeHalves(rows: readonly SoftRow[], done: (error: unknown) => void): void {
    const middle = rows.length >> 1;
    this.#writeAgain(rows.slice(0, middle), () => this.#writeAgain(rows.slice(middle), done));
  }

  /** Without rows of which a hard write has come meanwhile: it would be undone, or what becomes of it is open. */
  #writeAgain(rows: readonly SoftRow[], done: (error: unknown) => void): void {
    const free: SoftRow[] = [];
    for (const row of rows) {
      if (!row.held && !row.isOvertaken) {
        free.push(row);
        continue;
      }
      if (row.held && !row.isPending) this.#await(row);
      this.#landed(row);
    }
    if (free.length === 0) done(undefined);
    else this.#write(free, done);
  }

  #land(rows: readonly SoftRow[], error: unknown, done: (error: unknown) => void): void {
    for (const row of rows) this.#landed(row);
    if (error !== undefined) this.#lost(error);
    done(error);
  }

  #landed(row: SoftRow): void {
    row.handed -= 1;
    this.#handed -= 1;
    this.#settle(row);
  }

  /** The state of an actor that has left memory must not stay because of its row. */
  #settle(row: SoftRow): void {
    if (isOnItsWay(row)) return;
    row.value = undefined;
    row.isOvertaken = false;
    if (this.remembered > rememberedLimit) this.#tables.get(row.table.name)?.delete(row.key);
  }

  get<V>(table: Table<V>, key: string): V | undefined {
    const row = this.#known(table, key);
    return row !== undefined && isNewer(row) ? asStored(table, row) : this.#store.get(table, key);
  }

  *range<V>(table: Table<V>, options: RangeOptions): Iterable<readonly [string, V]> {
    const soft = new Map<string, V>();
    for (const row of this.#tables.get(table.name)?.values() ?? []) {
      if (!isNewer(row)) continue;
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

  /** Forgets rows that nobody writes any more, some with each flush. */
  #sweep(): void {
    for (let left = sweptPerFlush; left > 0; left -= 1) {
      this.#swept ??= this.#rows();
      const { value: row, done } = this.#swept.next();
      if (done === true) {
        this.#swept = undefined;
        return;
      }
      const isRecent = this.#flushes - row.lastFlush <= flushesRemembered;
      if (!isRecent && !isOnItsWay(row)) this.#tables.get(row.table.name)?.delete(row.key);
    }
  }

  *#rows(): Iterator<SoftRow> {
    for (const rows of this.#tables.values()) yield* rows.values();
  }
}

function isOnItsWay({ isPending, waits, handed }: SoftRow): boolean {
  return isPending || waits || handed > 0;
}

/** It is newer than the store. */
function isNewer(row: SoftRow): boolean {
  return isOnItsWay(row) && !row.isOvertaken;
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
