/** A header as text; octets that are not ASCII as Latin-1. */
export type Header = readonly [name: string, value: string];

/** RFC 7541, appendix A; the first has index 1. */
// biome-ignore format: a table
const staticTable: readonly Header[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
];

/** What a header counts beside its octets (RFC 7541, section 4.1). */
const entryOverhead = 32;

/** What a peer may use before it has read our settings (RFC 9113, section 6.5.2). */
export const defaultTableSize = 4096;

/** The table of headers that the peer of one connection has named before. */
export class HeaderTable {
  /** The newest first. */
  readonly #entries: Header[] = [];
  #size = 0;
  #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  at(index: number): Header | undefined {
    return this.#entries[index - staticTable.length - 1];
  }

  /** A header larger than the table empties it. */
  add(header: Header): void {
    this.#entries.unshift(header);
    this.#size += sizeOf(header);
    this.#evict();
  }

  resize(limit: number): void {
    this.#limit = limit;
    this.#evict();
  }

  #evict(): void {
    while (this.#size > this.#limit) this.#size -= sizeOf(this.#entries.pop()!);
  }
}

export function staticHeader(index: number): Header | undefined {
  return staticTable[index - 1];
}

/** As the limits of tables and of header lists count it. */
export function sizeOf([name, value]: Header): number {
  return name.length + value.length + entryOverhead;
}
