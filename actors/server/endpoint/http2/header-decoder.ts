import {
  defaultTableSize,
  type Header,
  HeaderTable,
  sizeOf,
  staticHeader,
} from './header-table.ts';
import { huffmanDecode } from './huffman.ts';

/** Bytes that the headers of one request may have when unpacked, each counted with 32 more. */
export const headerListLimit = 16_384;

/** Why a header block cannot be read: the tables of both sides differ from here on. */
export class HeaderBlockError extends Error {}

/** A block that is longer than allowed when unpacked; the tables are still in step. */
export const headersTooLarge = Symbol('headers too large');

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

/** Unpacks the header blocks of one connection (RFC 7541). Holds nothing while the table is empty. */
export class HeaderDecoder {
  #table: HeaderTable | undefined;
  #tableLimit = defaultTableSize;
  /** True when the last block would have meant the same on any connection. */
  wasStateless = false;

  /** Throws HeaderBlockError. */
  decode(bytes: Uint8Array): Header[] | typeof headersTooLarge {
    const reader: Reader = { bytes, at: 0 };
    const headers: Header[] = [];
    let size = 0;
    this.wasStateless = true;
    while (reader.at < bytes.length) {
      const first = bytes[reader.at]!;
      if ((first & 0xe0) === 0x20) {
        if (size > 0) throw new HeaderBlockError('a table size after a header');
        this.#resize(readInteger(reader, 5));
        continue;
      }
      const header = this.#header(reader, first);
      size += sizeOf(header);
      if (size <= headerListLimit) headers.push(header);
    }
    return size > headerListLimit ? headersTooLarge : headers;
  }

  #header(reader: Reader, first: number): Header {
    if (first & 0x80) return this.#indexed(readInteger(reader, 7));
    const indexing = (first & 0xc0) === 0x40;
    const index = readInteger(reader, indexing ? 6 : 4);
    const name = index === 0 ? readText(reader) : this.#indexed(index)[0];
    const header: Header = [name, readText(reader)];
    if (indexing) this.#add(header);
    return header;
  }

  #indexed(index: number): Header {
    const known = staticHeader(index);
    if (known !== undefined) return known;
    this.wasStateless = false;
    const header = this.#table?.at(index);
    if (header === undefined) throw new HeaderBlockError(`no header at index ${index}`);
    return header;
  }

  #add(header: Header): void {
    this.wasStateless = false;
    if (this.#tableLimit === 0) return;
    this.#table ??= new HeaderTable(this.#tableLimit);
    this.#table.add(header);
  }

  /** Our settings ask for a table of size 0, but the peer may not have read them yet. */
  #resize(limit: number): void {
    this.wasStateless = false;
    if (limit > defaultTableSize) throw new HeaderBlockError('a table larger than allowed');
    this.#tableLimit = limit;
    if (limit === 0) this.#table = undefined;
    else this.#table?.resize(limit);
  }
}

/** RFC 7541, section 5.1; numbers above 2^28 occur nowhere. */
function readInteger(reader: Reader, prefixBits: number): number {
  const { bytes } = reader;
  const mask = (1 << prefixBits) - 1;
  let value = bytes[reader.at++]! & mask;
  if (value < mask) return value;
  for (let shift = 0; shift <= 21; shift += 7) {
    const byte = bytes[reader.at++];
    if (byte === undefined) throw new HeaderBlockError('a number without an end');
    value += (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new HeaderBlockError('a number too large');
}

function readText(reader: Reader): string {
  const first = reader.bytes[reader.at];
  if (first === undefined) throw new HeaderBlockError('a text is missing');
  const length = readInteger(reader, 7);
  const from = reader.at;
  const to = from + length;
  if (to > reader.bytes.length) throw new HeaderBlockError('a text without an end');
  reader.at = to;
  if (first < 0x80) return latin1(reader.bytes, from, to);
  const text = huffmanDecode(reader.bytes, from, to);
  if (text === undefined) throw new HeaderBlockError('a text that is not well packed');
  return text;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}
