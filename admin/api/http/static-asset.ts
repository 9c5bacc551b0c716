import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Answer } from '../answer.ts';
import { entityTag, namesTag } from './entity-tag.ts';

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);
/** Of 11: half a second for a megabyte, once. */
const brotliQuality = 6;
/** Below this, compression saves nothing. */
const compressFrom = 1_000;

interface Compressed {
  readonly br: Buffer;
  readonly gzip: Buffer;
}

/** A file as it is served: compressed once, when somebody first takes it. */
export class StaticAsset {
  readonly #bytes: Buffer;
  readonly #mediaType: string;
  readonly #etag: string;
  #compressed: Promise<Compressed> | undefined;

  constructor(bytes: Buffer, mediaType: string) {
    this.#bytes = bytes;
    this.#mediaType = mediaType;
    this.#etag = entityTag(bytes);
  }

  /** A name that changes with the content: "name.<tag>.js". */
  hashedName(name: string): string {
    return name.replace(/(\.[a-z]+)$/, `.${this.#etag.slice(1, 17)}$1`);
  }

  /** `header`: of the request. Whoever has it already gets 304; the address changes with the content. */
  async answer(header: (name: string) => string | undefined): Promise<Answer> {
    const headers = {
      'cache-control': 'public, max-age=31536000, immutable',
      etag: this.#etag,
      vary: 'accept-encoding',
    };
    const known = header('if-none-match');
    if (known !== undefined && namesTag(known, this.#etag)) return new Answer(304, headers, '');
    const typed = { ...headers, 'content-type': this.#mediaType };
    const accepted = header('accept-encoding') ?? '';
    const encoding = (['br', 'gzip'] as const).find((each) =>
      new RegExp(`\\b${each}\\b`).test(accepted),
    );
    if (encoding === undefined || !this.#isWorthCompressing) {
      return new Answer(200, typed, this.#bytes);
    }
    this.#compressed ??= compress(this.#bytes);
    const compressed = await this.#compressed;
    return new Answer(200, { ...typed, 'content-encoding': encoding }, compressed[encoding]);
  }

  get #isWorthCompressing(): boolean {
    const isText = /^(text|application|image\/svg)/.test(this.#mediaType);
    return isText && this.#bytes.length >= compressFrom;
  }
}

async function compress(bytes: Buffer): Promise<Compressed> {
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } };
  const [br, gzipped] = await Promise.all([compressBrotli(bytes, options), compressGzip(bytes)]);
  return { br, gzip: gzipped };
}
