/** Bits of the code of each octet and of the end mark (RFC 7541, appendix B). */
// biome-ignore format: a table
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11,
  10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8,
  15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5,
  6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
  7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21,
  23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25,
  26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26,
  28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const octets = 256;
const shortest = 5;
const longest = 30;

/**
 * The codes of one length follow each other in the order of their symbols, and each length goes on
 * where the one before ended; so the lengths say everything. `sorted` holds the symbols in that
 * order; of length n, the first code is `first[n]`, and its symbol is at `offset[n]`.
 */
const sorted = codeLengths
  .map((_, symbol) => symbol)
  .sort((one, other) => codeLengths[one]! - codeLengths[other]! || one - other);
const first = new Int32Array(longest + 1);
const counts = new Int32Array(longest + 1);
const offset = new Int32Array(longest + 1);
for (const length of codeLengths) counts[length]! += 1;
for (let length = shortest; length <= longest; length++) {
  first[length] = (first[length - 1]! + counts[length - 1]!) * 2;
  offset[length] = offset[length - 1]! + counts[length - 1]!;
}

/** Undefined when the bytes are not the code of a text: wrong padding, or the end mark inside. */
export function huffmanDecode(bytes: Uint8Array, from: number, to: number): string | undefined {
  let text = '';
  let code = 0;
  let length = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length += 1;
      if (length > longest) return undefined;
      const place = code - first[length]!;
      if (place < 0 || place >= counts[length]!) continue;
      const symbol = sorted[offset[length]! + place]!;
      if (symbol === octets) return undefined;
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  }
  // What is left is padding: at most seven bits, all set.
  return length < 8 && code === (1 << length) - 1 ? text : undefined;
}
