import { open, type RootDatabase } from 'lmdb';
import { RuntimeError, reasonOf } from './errors.ts';
import type { RangeOptions, Table } from './store.ts';
import { checkKey, decodeRow, rangeBounds, rowKey } from './store-rows.ts';

/** Address space taken at first; lmdb-js maps more as the file grows. */
const firstMapBytes = 64 * 1024 * 1024;
/** Read transactions at once over all threads; each thread that reads holds one. */
export const readerSlotLimit = 254;
/** Keys that are no rows start with 0x00; no table name does. */
export const internalKeys = {
  format: '\u0000format',
  storeId: '\u0000store-id',
  sequence: '\u0000sequence',
  count: (table: string): string => `\u0000count\u0000${table}`,
};
/** Raised when older code could not read what this code writes. */
export const storeFormat = 1;

export type Environment = RootDatabase<Buffer, string>;

const keyEncoder = {
  writeKey: (key: string | Uint8Array, target: Buffer, start: number): number =>
    typeof key === 'string'
      ? start + target.write(key, start)
      : start + Buffer.from(key).copy(target, start),
  readKey: (source: Buffer, start: number, end: number): string =>
    source.toString('utf8', start, end),
};

export interface EnvironmentOptions {
  readonly directory: string;
  readonly readOnly: boolean;
  readonly readerSlots?: number;
}

/**
 * Opens the environment. Within one process lmdb-js shares one environment per file between
 * threads, so a reader sees the owner's map and its growth.
 *
 * Flags: overlappingSync = a commit is visible before it is flushed, and a third meta page keeps
 * the last flushed state whole (noSync would not). safeRestore = after a crash exactly the last
 * flushed state comes back, so what one saw after a failed flush can never be pages that the
 * kernel dropped (Rebello et al., USENIX ATC '20). eventTurnBatching is off because the store
 * makes its own batches and each must be one transaction.
 */
export function openEnvironment(options: EnvironmentOptions): Environment {
  return open<Buffer, string>({
    path: options.directory,
    noSubdir: false,
    readOnly: options.readOnly,
    overlappingSync: !options.readOnly,
    safeRestore: true,
    eventTurnBatching: false,
    batchStartThreshold: Number.MAX_SAFE_INTEGER,
    mapSize: firstMapBytes,
    maxReaders: options.readerSlots ?? readerSlotLimit,
    encoding: 'binary',
    keyEncoder,
    permissionsMode: 0o600,
  } as Parameters<typeof open>[0]) as Environment;
}

/** Reads rows of one environment. The bytes of a read are lent to the codec, not copied. */
export class EnvironmentView {
  readonly #environment: Environment;
  readonly #directory: string;

  constructor(environment: Environment, directory: string) {
    this.#environment = environment;
    this.#directory = directory;
  }

  /** Later reads see everything that is committed now. */
  refresh(): void {
    this.#environment.resetReadTxn();
  }

  get<V>(table: Table<V>, key: string): V | undefined {
    checkKey(table, key);
    return this.#reading(() => {
      const row = this.#lend(rowKey(table, key));
      return row === undefined ? undefined : decodeRow(table, key, row);
    });
  }

  range<V>(table: Table<V>, options: RangeOptions): readonly (readonly [key: string, value: V])[] {
    const { from, to, limit } = rangeBounds(table, options);
    if (limit <= 0 || Buffer.compare(Buffer.from(from), Buffer.from(to)) >= 0) return [];
    const span = options.reverse
      ? { start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true, limit }
      : { start: from, end: to, limit };
    const skip = table.name.length + 1;
    return this.#reading(() => {
      const rows: (readonly [string, V])[] = [];
      for (const { key, value } of this.#environment.getRange(span)) {
        const name = key.slice(skip);
        rows.push([name, decodeRow(table, name, value)]);
      }
      return rows;
    });
  }

  count(table: Table<unknown>): number {
    return this.number(internalKeys.count(table.name)) ?? 0;
  }

  /** An internal number: decimal digits. */
  number(key: string): number | undefined {
    return this.#reading(() => {
      const bytes = this.#environment.getBinary(key);
      return bytes === undefined ? undefined : Number(Buffer.from(bytes).toString('latin1'));
    });
  }

  has(fullKey: string): boolean {
    return this.#reading(() => this.#environment.getBinaryFast(fullKey) !== undefined);
  }

  #lend(fullKey: string): Uint8Array | undefined {
    const lent = this.#environment.getBinaryFast(fullKey);
    // lmdb-js reuses one buffer and only overrides its `length`: take a view of the true length.
    return lent === undefined
      ? undefined
      : new Uint8Array(lent.buffer, lent.byteOffset, lent.length);
  }

  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!isReadersFull(error)) throw error;
    }
    // A reader that died without giving its slot back is found by its process id.
    this.#environment.readerCheck();
    try {
      return read();
    } catch (error) {
      if (!isReadersFull(error)) throw error;
      throw new RuntimeError('RUNTIME_STORE_READERS_FULL', { directory: this.#directory });
    }
  }
}

export function isReadersFull(error: unknown): boolean {
  return reasonOf(error).includes('MDB_READERS_FULL');
}

/**
 * MDB_BAD_TXN: the transaction was aborted whole. liblmdb of lmdb-js 3.5.6 does that, rarely, when it saves its list of
 * free pages (`reserved freelist had a data entry with zero-size`: the size of an entry is read before whether it
 * was found), and begins the next transaction with the list as it was stored.
 */
export function isAborted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === -30782;
}

/** ENOSPC and EDQUOT, errno of Linux. */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 28 || code === 122;
}
