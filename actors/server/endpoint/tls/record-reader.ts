import { alertCode, TlsAlert } from './alert.ts';
import { recordHeaderLength, sealedLimit } from './record-keys.ts';

/** Takes one whole record with its header; false = nothing more is read now. */
export type RecordHandler = (record: Buffer) => boolean;

const headerRoom = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into TLS records (RFC 8446, section 5.1), however it was split on its way. What
 * has come of an unfinished record is copied once, into room for the whole: a peer that dribbles costs no more
 * than one that does not.
 */
export class RecordReader {
  #partial: Buffer = headerRoom;
  #filled = 0;

  /** True while the peer owes the end of a record. */
  get isHalfway(): boolean {
    return this.#filled > 0;
  }

  /**
   * Returns how many of the bytes were used: all of them, or those up to the end of the record at
   * which the handler stopped. Throws TlsAlert for a record larger than any may be.
   */
  read(bytes: Buffer, handle: RecordHandler): number {
    let at = 0;
    if (this.#filled > 0) {
      at = this.#fill(bytes, 0);
      const record = this.#whole();
      if (record === undefined) return at;
      if (!handle(record)) return at;
    }
    while (bytes.length - at >= recordHeaderLength) {
      const end = at + lengthOf(bytes, at);
      if (end > bytes.length) break;
      const record = at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end);
      at = end;
      if (!handle(record)) return at;
    }
    return at === bytes.length ? at : this.#fill(bytes, at);
  }

  /** Takes what is missing of one record; returns where the next one begins. */
  #fill(bytes: Buffer, from: number): number {
    let at = from;
    if (this.#filled < recordHeaderLength) {
      if (this.#filled === 0) this.#partial = Buffer.allocUnsafeSlow(recordHeaderLength);
      at += this.#take(bytes, at, recordHeaderLength);
      if (this.#filled < recordHeaderLength) return at;
      const whole = Buffer.allocUnsafeSlow(lengthOf(this.#partial, 0));
      this.#partial.copy(whole);
      this.#partial = whole;
    }
    return at + this.#take(bytes, at, this.#partial.length);
  }

  #take(bytes: Buffer, from: number, goal: number): number {
    const length = Math.min(goal - this.#filled, bytes.length - from);
    bytes.copy(this.#partial, this.#filled, from, from + length);
    this.#filled += length;
    return length;
  }

  #whole(): Buffer | undefined {
    if (this.#filled < recordHeaderLength || this.#filled < this.#partial.length) return undefined;
    const record = this.#partial;
    this.#partial = headerRoom;
    this.#filled = 0;
    return record;
  }
}

function lengthOf(bytes: Buffer, at: number): number {
  const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
  if (length <= sealedLimit) return recordHeaderLength + length;
  throw new TlsAlert(alertCode.recordOverflow, 'a record too large');
}
