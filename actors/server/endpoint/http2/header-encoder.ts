import type { Header } from './header-table.ts';

/** Static entries whose value counts too: the statuses (RFC 7541, appendix A). */
const statusIndex: ReadonlyMap<string, number> = new Map([
  ['200', 8],
  ['204', 9],
  ['206', 10],
  ['304', 11],
  ['400', 12],
  ['404', 13],
  ['500', 14],
]);
const statusNameIndex = 8;
const contentTypeNameIndex = 31;

/**
 * Packs headers without any table, so that the bytes mean the same on every connection and may be
 * made once. Names and values are Latin-1.
 */
export function packHeaders(headers: readonly Header[]): Buffer {
  return Buffer.concat(headers.map(([name, value]) => packHeader(name, value)));
}

function packHeader(name: string, value: string): Buffer {
  if (name === ':status') {
    const index = statusIndex.get(value);
    if (index !== undefined) return Buffer.from([0x80 | index]);
    return Buffer.concat([integer(0, 4, statusNameIndex), text(value)]);
  }
  if (name === 'content-type') {
    return Buffer.concat([integer(0, 4, contentTypeNameIndex), text(value)]);
  }
  return Buffer.concat([integer(0, 4, 0), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(0, 7, bytes.length), bytes]);
}

/** RFC 7541, section 5.1. */
function integer(first: number, prefixBits: number, value: number): Buffer {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return Buffer.from([first | value]);
  const bytes = [first | mask];
  let left = value - mask;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  bytes.push(left);
  return Buffer.from(bytes);
}
