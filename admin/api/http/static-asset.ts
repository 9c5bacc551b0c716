import { readFile } from 'node:fs/promises';
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

/** A file as it is served: read and compressed once, at its first use. */
export interface StaticAsset {
  readonly mediaType: string;
  readonly etag: string;
  readonly bytes: Buffer;
  readonly gzip: Buffer | undefined;
  readonly brotli: Buffer | undefined;
}

/** `change`: what is served instead of what stands in the file. */
export async function loadAsset(
  file: string,
  mediaType: string,
  change: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<StaticAsset> {
  const bytes = change(await readFile(file));
  const isWorth = bytes.length >= compressFrom && /^(text|application|image\/svg)/.test(mediaType);
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } };
  const [gzipped, brotli] = isWorth
    ? await Promise.all([compressGzip(bytes), compressBrotli(bytes, options)])
    : [undefined, undefined];
  return { mediaType, etag: entityTag(bytes), bytes, gzip: gzipped, brotli };
}

/** A name that changes with the content: "name.<tag>.js". */
export function hashedName(name: string, { etag }: StaticAsset): string {
  return name.replace(/(\.[a-z]+)$/, `.${etag.slice(1, 17)}$1`);
}

/** `header`: of the request. Whoever has it already gets 304; the address changes with the content. */
export function assetAnswer(
  asset: StaticAsset,
  header: (name: string) => string | undefined,
): Answer {
  const headers = {
    'cache-control': 'public, max-age=31536000, immutable',
    etag: asset.etag,
    vary: 'accept-encoding',
  };
  const known = header('if-none-match');
  if (known !== undefined && namesTag(known, asset.etag)) return new Answer(304, headers, '');
  const accepted = header('accept-encoding') ?? '';
  const typed = { ...headers, 'content-type': asset.mediaType };
  if (asset.brotli !== undefined && /\bbr\b/.test(accepted)) {
    return new Answer(200, { ...typed, 'content-encoding': 'br' }, asset.brotli);
  }
  if (asset.gzip !== undefined && /\bgzip\b/.test(accepted)) {
    return new Answer(200, { ...typed, 'content-encoding': 'gzip' }, asset.gzip);
  }
  return new Answer(200, typed, asset.bytes);
}
