import { type HeaderDecoder, headersTooLarge } from './header-decoder.ts';
import type { Header } from './header-table.ts';
import { headCacheBlockLimit, headCacheLimit } from './limits.ts';

/** The headers of a request, as far as a gRPC server reads them. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  /** Bytes of the body that the peer announced; -1 = it did not say. */
  readonly contentLength: number;
}

/** Why a head is not served. */
export type HeadFault = 'malformed' | 'too large';

/** Reads request heads; one per thread. Most requests of a fleet have one of a few heads. */
export class HeadReader {
  readonly #known = new Map<string, RequestHead>();

  /** Throws HeaderBlockError. */
  read(block: Buffer, decoder: HeaderDecoder): RequestHead | HeadFault {
    const short = block.length <= headCacheBlockLimit;
    const key = short ? block.toString('latin1') : '';
    const known = short ? this.#known.get(key) : undefined;
    if (known !== undefined) return known;
    const headers = decoder.decode(block);
    if (headers === headersTooLarge) return 'too large';
    const head = requestHead(headers);
    if (short && decoder.wasStateless && typeof head === 'object') this.#remember(key, head);
    return head;
  }

  #remember(key: string, head: RequestHead): void {
    if (this.#known.size >= headCacheLimit) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(key, head);
  }
}

/** Names that an HTTP/2 message must not have (RFC 9113, section 8.2.2). */
const ofHttp1: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const pseudoNames: ReadonlySet<string> = new Set([':method', ':scheme', ':path', ':authority']);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const badName = /[\x00-\x20A-Z:\x7f-\xff]|^$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const badValue = /[\x00\r\n]/;

function requestHead(headers: readonly Header[]): RequestHead | HeadFault {
  const pseudo = new Map<string, string>();
  let contentType = '';
  let contentLength = -1;
  let regular = false;
  for (const [name, value] of headers) {
    if (name.startsWith(':')) {
      if (regular || pseudo.has(name) || !pseudoNames.has(name)) return 'malformed';
      pseudo.set(name, value);
      continue;
    }
    regular = true;
    if (!isAllowed(name, value)) return 'malformed';
    if (name === 'content-type') contentType = value;
    if (name !== 'content-length') continue;
    if (!/^\d{1,15}$/.test(value)) return 'malformed';
    const length = Number(value);
    if (contentLength !== -1 && contentLength !== length) return 'malformed';
    contentLength = length;
  }
  const method = pseudo.get(':method');
  const path = pseudo.get(':path');
  if (method === undefined || !path || !pseudo.get(':scheme')) return 'malformed';
  return { method, path, contentType, contentLength };
}

function isAllowed(name: string, value: string): boolean {
  if (badName.test(name) || badValue.test(value) || ofHttp1.has(name)) return false;
  return name !== 'te' || value === 'trailers';
}
