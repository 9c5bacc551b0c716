import { crc32 } from 'node:zlib';
import { RuntimeError, reasonOf } from './errors.ts';
import type { Operation, RangeOptions, Table } from './store.ts';

/** Longest key of a row, bytes of UTF-8. */
export const keyBytesLimit = 511;
/** Largest encoded value of a row, bytes. */
export const valueBytesLimit = 8 * 1024 * 1024;
/** Rows that one range may return. */
export const rangeRowLimit = 100_000;
/** Operations of one transaction. */
export const transactionOperationLimit = 100_000;

const tableNamePattern = /^[a-z][a-zA-Z0-9._-]{0,31}$/;
const checksumBytes = 4;
const checkedTableNames = new WeakSet<Table<unknown>>();

/** An operation made ready: the full key, and the row's bytes that nobody else will overwrite. */
export interface StagedOperation {
  readonly table: Table<unknown>;
  readonly key: string;
  /** Undefined removes the row. */
  readonly row: Buffer | undefined;
}

/** Full key = table name, 0x00, key: the rows of a table are neighbours, in the byte order of their keys. */
export function rowKey(table: Table<unknown>, key: string): string {
  return `${table.name}\u0000${key}`;
}

/** First full key after all rows of the table. */
export function tableEnd(table: Table<unknown>): string {
  return `${table.name}\u0001`;
}

export function checkKey(table: Table<unknown>, key: string): void {
  if (!checkedTableNames.has(table)) {
    if (!tableNamePattern.test(table.name)) {
      throw new RuntimeError('RUNTIME_STORE_KEY', {
        table: table.name,
        reason: 'its name is not 1 to 32 letters, digits, dots, dashes, starting with a-z',
      });
    }
    checkedTableNames.add(table);
  }
  if (key.length * 3 > keyBytesLimit && Buffer.byteLength(key) > keyBytesLimit) {
    throw new RuntimeError('RUNTIME_STORE_KEY', {
      table: table.name,
      reason: `it has ${Buffer.byteLength(key)} bytes, the limit is ${keyBytesLimit}`,
    });
  }
  if (!isWellFormed(key)) {
    throw new RuntimeError('RUNTIME_STORE_KEY', {
      table: table.name,
      reason: 'it has half of a surrogate pair, which has no UTF-8 form',
    });
  }
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Checks and encodes; throws RuntimeError. The result shares no memory with the caller's values. */
export function stageOperations(operations: readonly Operation[]): StagedOperation[] {
  if (operations.length > transactionOperationLimit) {
    throw new RuntimeError('RUNTIME_STORE_BUSY', { limit: transactionOperationLimit });
  }
  return operations.map((operation) => {
    const { table, key } = operation;
    checkKey(table, key);
    const row = operation.op === 'put' ? encodeRow(table, operation.value) : undefined;
    return { table, key: rowKey(table, key), row };
  });
}

/** Row = CRC-32 of the value, little-endian, then the value: a flipped bit is found when it is read. */
function encodeRow(table: Table<unknown>, value: unknown): Buffer {
  let encoded: Uint8Array;
  try {
    encoded = table.codec.encode(value);
  } catch (error) {
    throw new RuntimeError(
      'RUNTIME_STORE_VALUE',
      { table: table.name, reason: reasonOf(error) },
      { cause: error },
    );
  }
  if (encoded.byteLength > valueBytesLimit) {
    const reason = `it has ${encoded.byteLength} bytes, the limit is ${valueBytesLimit}`;
    throw new RuntimeError('RUNTIME_STORE_VALUE', { table: table.name, reason });
  }
  const row = Buffer.allocUnsafe(checksumBytes + encoded.byteLength);
  row.set(encoded, checksumBytes);
  row.writeUInt32LE(crc32(encoded), 0);
  return row;
}

/** Whether the bytes are a row as `stageOperations` makes them. */
export function rowIsIntact(row: Uint8Array): boolean {
  if (row.byteLength < checksumBytes) return false;
  const sum = (row[0]! | (row[1]! << 8) | (row[2]! << 16) | (row[3]! << 24)) >>> 0;
  return crc32(row.subarray(checksumBytes)) === sum;
}

/** The value of a row; throws RUNTIME_STORE_CORRUPTED when its bytes are not what was stored. */
export function decodeRow<V>(table: Table<V>, key: string, row: Uint8Array): V {
  if (!rowIsIntact(row)) {
    throw new RuntimeError('RUNTIME_STORE_CORRUPTED', {
      reason: `the checksum of ${table.name}/${key} does not match`,
    });
  }
  try {
    return table.codec.decode(row.subarray(checksumBytes));
  } catch (error) {
    throw new RuntimeError(
      'RUNTIME_STORE_CORRUPTED',
      { reason: `${table.name}/${key} cannot be decoded: ${reasonOf(error)}` },
      { cause: error },
    );
  }
}

/** The full keys [from, to) that a range spans and how many rows it may return. */
export function rangeBounds(
  table: Table<unknown>,
  options: RangeOptions,
): { from: string; to: string; limit: number } {
  if (options.from !== undefined) checkKey(table, options.from);
  if (options.to !== undefined) checkKey(table, options.to);
  return {
    from: rowKey(table, options.from ?? ''),
    to: options.to === undefined ? tableEnd(table) : rowKey(table, options.to),
    limit: Math.min(options.limit, rangeRowLimit),
  };
}
