import type { RangeOptions, Table } from '../store.ts';
import { rangeBounds } from '../store-rows.ts';

/** Puts back what one write replaced. */
export interface Undo {
  readonly key: string;
  readonly before: Buffer | undefined;
}

/**
 * What outlives a simulated process: the rows, and for those not yet flushed what was there
 * before. Rows are kept in the byte order of their keys, like LMDB's.
 */
export class SimulatedStoreDisk {
  /** 0 = no store was ever made here. */
  storeId = 0;
  /** Bytes of all rows. */
  bytes = 0;
  /** Per commit that is not flushed yet, oldest first. */
  readonly unflushed: (readonly Undo[])[] = [];
  readonly #rows = new Map<string, Buffer>();
  readonly #counts = new Map<string, number>();
  #sorted: Buffer[] = [];

  row(fullKey: string): Buffer | undefined {
    return this.#rows.get(fullKey);
  }

  has(fullKey: string): boolean {
    return this.#rows.has(fullKey);
  }

  count(table: Table<unknown>): number {
    return this.#counts.get(table.name) ?? 0;
  }

  write(key: string, row: Buffer | undefined): Undo {
    const before = this.#rows.get(key);
    this.bytes += (row?.byteLength ?? 0) - (before?.byteLength ?? 0);
    if (row === undefined) this.#rows.delete(key);
    else this.#rows.set(key, row);
    if ((row === undefined) !== (before === undefined)) this.#place(key, row !== undefined);
    return { key, before };
  }

  /** Everything since the last flush is gone. */
  loseUnflushed(): void {
    for (const undo of this.unflushed.reverse()) {
      for (const { key, before } of [...undo].reverse()) this.write(key, before);
    }
    this.unflushed.length = 0;
  }

  /** An empty disk: the next open makes a new store. */
  clear(): void {
    this.storeId = 0;
    this.bytes = 0;
    this.unflushed.length = 0;
    this.#rows.clear();
    this.#counts.clear();
    this.#sorted = [];
  }

  range(table: Table<unknown>, options: RangeOptions): [key: string, row: Buffer][] {
    const bounds = rangeBounds(table, options);
    const from = this.#position(Buffer.from(bounds.from));
    const to = this.#position(Buffer.from(bounds.to));
    const found: [string, Buffer][] = [];
    const skip = table.name.length + 1;
    for (let index = 0; index < to - from && found.length < bounds.limit; index += 1) {
      const at = options.reverse === true ? to - 1 - index : from + index;
      const key = this.#sorted[at]!.toString('utf8');
      found.push([key.slice(skip), this.#rows.get(key)!]);
    }
    return found;
  }

  #place(key: string, present: boolean): void {
    const table = key.slice(0, key.indexOf('\u0000'));
    this.#counts.set(table, (this.#counts.get(table) ?? 0) + (present ? 1 : -1));
    const bytes = Buffer.from(key);
    const position = this.#position(bytes);
    if (present) this.#sorted.splice(position, 0, bytes);
    else this.#sorted.splice(position, 1);
  }

  /** Number of keys before the given one. */
  #position(key: Buffer): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare(this.#sorted[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
