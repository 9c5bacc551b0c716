/** Header blocks (RFC 7541) without tables and without Huffman codes, as our server sends them. */

const methodPost = 0x83;
const schemeHttps = 0x87;
const authorityName = 0x01;
const pathName = 0x04;
const contentTypeName = [0x0f, 0x10];

/** The head of a gRPC request to this path; made once for all envoys. */
export function requestHead(path: string): Buffer {
  const known = heads.get(path);
  if (known) return known;
  const made = Buffer.concat([
    Buffer.from([methodPost, schemeHttps, pathName]),
    text(path),
    Buffer.from([authorityName]),
    text('localhost'),
    Buffer.from(contentTypeName),
    text('application/grpc'),
    Buffer.from([0]),
    text('te'),
    text('trailers'),
  ]);
  heads.set(path, made);
  return made;
}

/** One for each method of the protocol. */
const heads = new Map<string, Buffer>();

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** Blocks remembered with their meaning: our server sends the same two with nearly every answer. */
const knownMax = 8;
const known: { readonly block: Buffer; readonly headers: ReadonlyMap<string, string> }[] = [];

/** The headers of the block between `from` and `to`; see `readHeaders`. */
export function headersOf(
  bytes: Buffer,
  from: number,
  to: number,
): ReadonlyMap<string, string> | undefined {
  for (const one of known) if (isAt(one.block, bytes, from, to)) return one.headers;
  const block = Buffer.from(bytes.subarray(from, to));
  const headers = readHeaders(block);
  if (headers !== undefined && known.length < knownMax) known.push({ block, headers });
  return headers;
}

function isAt(block: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (block.length !== to - from) return false;
  for (let at = 0; at < block.length; at += 1) if (block[at] !== bytes[from + at]) return false;
  return true;
}

/**
 * The headers that are not in a table, by name; indexed ones are left out. Undefined when the block
 * is not of the kind that our server sends.
 */
function readHeaders(block: Buffer): Map<string, string> | undefined {
  const found = new Map<string, string>();
  const reader = new BlockReader(block);
  while (!reader.atEnd) {
    const first = reader.peek();
    if (first >= 0x80) {
      reader.integer(7);
      continue;
    }
    if (first >= 0x20 && first < 0x40) {
      reader.integer(5);
      continue;
    }
    const index = reader.integer(first >= 0x40 ? 6 : 4);
    const name = index === 0 ? reader.text() : `#${index}`;
    const value = reader.text();
    if (name === undefined || value === undefined) return undefined;
    found.set(name, value);
  }
  return found;
}

class BlockReader {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get atEnd(): boolean {
    return this.#at >= this.#block.length;
  }

  peek(): number {
    return this.#block[this.#at] ?? 0;
  }

  /** RFC 7541, section 5.1. */
  integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#next() & mask;
    if (value < mask) return value;
    for (let factor = 1; !this.atEnd; factor *= 128) {
      const byte = this.#next();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  }

  /** Undefined for a Huffman code, or when the block ends before. */
  text(): string | undefined {
    const isHuffman = this.peek() >= 0x80;
    const length = this.integer(7);
    const end = this.#at + length;
    if (isHuffman || end > this.#block.length) return undefined;
    const value = this.#block.toString('latin1', this.#at, end);
    this.#at = end;
    return value;
  }

  #next(): number {
    const byte = this.peek();
    this.#at += 1;
    return byte;
  }
}
