import { statSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError, reasonOf } from './errors.ts';
import {
  type Environment,
  EnvironmentView,
  internalKeys,
  isReadersFull,
  openEnvironment,
} from './lmdb-environment.ts';
import { hasOwnerMark } from './owner-mark.ts';
import type { RangeOptions, StoreReader, Table } from './store.ts';

/**
 * Another thread's store, to read. Every call sees what is committed at that moment. The owner
 * must have the store open; after a recovery of the owner (see `isCurrent`) open it again.
 */
export class LmdbReader implements StoreReader {
  readonly directory: string;
  readonly storeId: number;
  readonly #environment: Environment;
  readonly #view: EnvironmentView;
  readonly #inode: bigint | undefined;
  #closed = false;

  /** Throws RUNTIME_STORE_OPEN_FAILED when there is no store, RUNTIME_STORE_READERS_FULL. */
  constructor(directory: string) {
    this.directory = directory;
    this.#inode = inodeOf(directory);
    try {
      if (this.#inode === undefined) throw new Error('there is no store');
      if (!hasOwnerMark(directory)) throw new Error('its owner has not opened it yet');
      this.#environment = openEnvironment({ directory, readOnly: true });
    } catch (error) {
      throw openFailed(directory, error);
    }
    this.#view = new EnvironmentView(this.#environment, directory);
    const storeId = this.#view.number(internalKeys.storeId);
    if (storeId === undefined) {
      this.close();
      throw openFailed(directory, new Error('the store has no identity yet'));
    }
    this.storeId = storeId;
  }

  get<V>(table: Table<V>, key: string): V | undefined {
    return this.#fresh().get(table, key);
  }

  range<V>(table: Table<V>, options: RangeOptions): Iterable<readonly [key: string, value: V]> {
    return this.#fresh().range(table, options);
  }

  count<V>(table: Table<V>): number {
    return this.#fresh().count(table);
  }

  /** False when the owner has put another store in the place of this one. */
  isCurrent(): boolean {
    return inodeOf(this.directory) === this.#inode;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#environment.close();
  }

  #fresh(): EnvironmentView {
    if (this.#closed) {
      throw new RuntimeError('RUNTIME_STORE_CLOSED', { directory: this.directory });
    }
    this.#view.refresh();
    return this.#view;
  }
}

function inodeOf(directory: string): bigint | undefined {
  return statSync(join(directory, 'data.mdb'), { bigint: true, throwIfNoEntry: false })?.ino;
}

function openFailed(directory: string, error: unknown): RuntimeError {
  if (isReadersFull(error)) return new RuntimeError('RUNTIME_STORE_READERS_FULL', { directory });
  return new RuntimeError(
    'RUNTIME_STORE_OPEN_FAILED',
    { directory, reason: reasonOf(error) },
    { cause: error },
  );
}
