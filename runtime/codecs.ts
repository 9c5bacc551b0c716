import { Packr } from 'msgpackr';
import type { Codec } from './store.ts';

/** Bytes of a field of a fixed layout. */
export interface FixedLayout<V> {
  /** Bytes of every row, exactly. */
  readonly bytes: number;
  write(view: DataView, value: V): void;
  read(view: DataView): V;
}

/**
 * Any plain value as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md): objects,
 * arrays, strings, numbers, booleans, null, bigint to 64 bits, Uint8Array, Date, Map, Set.
 */
export function msgpackCodec<V>(): Codec<V> {
  // copyBuffers: a decoded Uint8Array must not point into memory that the next read overwrites.
  const packr = new Packr({ useRecords: false, copyBuffers: true, moreTypes: true });
  return {
    encode: (value) => packr.pack(value),
    decode: (bytes) => packr.unpack(bytes) as V,
  };
}

/** Bytes as they are; `decode` copies, because the bytes of a read are only lent. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (bytes) => Uint8Array.prototype.slice.call(bytes),
};

/** Rows of one size with a field at a fixed place each. `encode` returns a view of one reused buffer. */
export function fixedLayoutCodec<V>(layout: FixedLayout<V>): Codec<V> {
  const buffer = new Uint8Array(layout.bytes);
  const view = new DataView(buffer.buffer);
  return {
    encode(value) {
      buffer.fill(0);
      layout.write(view, value);
      return buffer;
    },
    decode(bytes) {
      if (bytes.byteLength !== layout.bytes) {
        throw new RangeError(`A row of ${layout.bytes} bytes has ${bytes.byteLength}`);
      }
      return layout.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    },
  };
}
