import { crc32 } from './checksum.ts';

/**
 * Layout of the queue's file: records of 4 bytes length, 4 bytes CRC-32 (big-endian) and a payload.
 * The first record holds the queue's header, each other one an encoded ReportRequest.
 */
export const recordHeaderLength = 8;

export interface LogRecord {
  /** Where the payload starts in the file. */
  readonly offset: number;
  readonly payload: Uint8Array;
}

export interface LogScan {
  readonly records: readonly LogRecord[];
  /** Where the next record goes: behind the last whole one. */
  readonly end: number;
  /** Records whose payload does not match its checksum; a torn tail counts as one. */
  readonly damaged: number;
}

/** Reads what is whole. A wrong length ends the scan, since nothing behind it can be told apart. */
export function scanLog(bytes: Uint8Array, recordLimit: number): LogScan {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const records: LogRecord[] = [];
  let end = 0;
  let damaged = 0;
  while (end + recordHeaderLength <= bytes.length) {
    const length = view.getUint32(end);
    const offset = end + recordHeaderLength;
    if (length > recordLimit || offset + length > bytes.length) break;
    const payload = bytes.subarray(offset, offset + length);
    if (crc32(payload) === view.getUint32(end + 4)) records.push({ offset, payload });
    else damaged += 1;
    end = offset + length;
  }
  return { records, end, damaged: damaged + (end < bytes.length ? 1 : 0) };
}

export function encodeRecord(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(recordHeaderLength + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length);
  view.setUint32(4, crc32(payload));
  bytes.set(payload, recordHeaderLength);
  return bytes;
}
