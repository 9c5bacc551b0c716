/**
 * Canonical bytes to sign. Every signature of the contract covers a list of fields, each behind its
 * length (unsigned 32 bits, big-endian); the first field is the domain, so that a signature made for
 * one purpose never verifies for another. Numbers are 8 bytes, big-endian.
 */
export const requestDomain = 'vigo/request/v1';
export const bundleDomain = 'vigo/bundle/v1';
export const rehearsalDomain = 'vigo/rehearsal/v1';
export const workDomain = 'vigo/work/v1';
export const releaseDomain = 'vigo/release/v1';
export const updateDomain = 'vigo/update/v1';

const initialCapacity = 512;
const encoder = new TextEncoder();
const twoTo32 = 0x1_0000_0000;

/** Builds canonical bytes in one buffer that is used again after `start`. */
export class CanonicalWriter {
  #bytes = new Uint8Array(initialCapacity);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  start(domain: string): this {
    this.#length = 0;
    return this.text(domain);
  }

  bytes(field: Uint8Array): this {
    this.#reserve(4 + field.length);
    this.#view.setUint32(this.#length, field.length);
    this.#bytes.set(field, this.#length + 4);
    this.#length += 4 + field.length;
    return this;
  }

  text(field: string): this {
    return this.bytes(encoder.encode(field));
  }

  /** An integer from 0 to 2^53 - 1; a negative one is written as its two's complement. */
  number(field: number): this {
    this.#reserve(12);
    this.#view.setUint32(this.#length, 8);
    writeNumber(this.#view, this.#length + 4, field);
    this.#length += 12;
    return this;
  }

  /** A view of the buffer, valid until the next `start`. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

export function writeNumber(view: DataView, offset: number, value: number): void {
  view.setInt32(offset, Math.floor(value / twoTo32));
  view.setUint32(offset + 4, value >>> 0);
}
