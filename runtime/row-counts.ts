import { RuntimeError } from './errors.ts';
import type { Table } from './store.ts';
import type { StagedOperation } from './store-rows.ts';

/** What the counting needs of the stored state; it must show every batch that was begun before. */
export interface CountedRows {
  count(table: Table<unknown>): number;
  has(fullKey: string): boolean;
}

/**
 * Counts rows per table and holds the row limits. One batch at a time: `begin`, then `add` per
 * transaction, which counts all of it or throws and counts nothing.
 */
export class RowCounts {
  readonly #stored: CountedRows;
  readonly #counts = new Map<string, number>();
  #present = new Map<string, boolean>();
  #changed = new Map<string, number>();

  constructor(stored: CountedRows) {
    this.#stored = stored;
  }

  begin(): void {
    this.#present = new Map();
    this.#changed = new Map();
  }

  /** Counts per table name as the batch leaves them. */
  changed(): ReadonlyMap<string, number> {
    return this.#changed;
  }

  /** The batch was not written: the next one starts from what is stored. */
  forget(changed: ReadonlyMap<string, number>): void {
    for (const table of changed.keys()) this.#counts.delete(table);
  }

  add(operations: readonly StagedOperation[]): void {
    const present = new Map<string, boolean>();
    const counts = new Map<string, number>();
    for (const { table, key, row } of operations) {
      const before = counts.get(table.name) ?? this.#count(table);
      const was = present.get(key) ?? this.#present.get(key) ?? this.#stored.has(key);
      const is = row !== undefined;
      if (was === is) continue;
      present.set(key, is);
      counts.set(table.name, is ? before + 1 : before - 1);
    }
    for (const { table } of operations) {
      const count = counts.get(table.name);
      if (count === undefined || count <= table.rowLimit || count <= this.#count(table)) continue;
      throw new RuntimeError('RUNTIME_STORE_TABLE_FULL', {
        table: table.name,
        limit: table.rowLimit,
      });
    }
    for (const [key, is] of present) this.#present.set(key, is);
    for (const [table, count] of counts) {
      this.#counts.set(table, count);
      this.#changed.set(table, count);
    }
  }

  #count(table: Table<unknown>): number {
    let count = this.#counts.get(table.name);
    if (count === undefined) {
      count = this.#stored.count(table);
      this.#counts.set(table.name, count);
    }
    return count;
  }
}
