import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Answer } from '../api/answer.ts';
import { entityTag, namesTag } from '../api/http/entity-tag.ts';
import type { Freshness } from '../api/shared-work.ts';
import { partsOnly } from './layout.ts';
import type { PageView } from './page.ts';
import { pageHeaders } from './security-headers.ts';

/** Sent by a page that heard of news: the id of the event that it heard of. */
const newsHeader = 'vigo-news';
const idForm = /^\d{1,16}$/;
/** Somebody opens a page: what happened since it was drawn comes as news at once. */
const openedAgeMsMax = 1_500;
/** All are told of news within a few seconds, and what was drawn since serves them. */
const newsAgeMsMax = 5_000;
/** Below this, compression saves nothing. */
const compressFrom = 1_000;
/** Of 9: what is compressed lives for seconds. */
const compressionLevel = 4;
const compress = promisify(gzip);
/** The script keeps these true by itself: another age alone is nothing new. */
const ages = /(<time [^>]*data-form="ago">)[^<]*/g;

type Header = (name: string) => string | undefined;

/** How new a page must be for the one who asks; after an act of its own it is always drawn anew. */
export function wantedBy(header: Header): Freshness {
  if (header('hx-request') === undefined) return { ageMsMax: openedAgeMsMax };
  const news = header(newsHeader);
  if (news === undefined || !idForm.test(news)) return { ageMsMax: 0 };
  return { ageMsMax: newsAgeMsMax, knows: Number(news) };
}

/** A page as it was drawn, and its parts as they go out: encoded once for all who get them. */
export class Drawn {
  readonly view: PageView | Answer;
  /** The newest live event that it knows of; absent: nobody asked. */
  readonly position: number | undefined;
  #text: string | undefined;
  #etag: string | undefined;
  #zipped: Promise<Buffer> | undefined;

  constructor(view: PageView | Answer, position?: number) {
    this.view = view;
    this.position = position;
  }

  /** What a page fetches again of itself; nothing when it has the same. */
  async parts(header: Header): Promise<Answer> {
    if (this.view instanceof Answer) return this.view;
    this.#text ??= partsOnly({ view: this.view }).text;
    const { status = 200 } = this.view;
    const text = this.#text;
    if (status !== 200) return new Answer(status, pageHeaders, text);
    this.#etag ??= `W/${entityTag(text.replaceAll(ages, '$1'))}`;
    const headers = { ...pageHeaders, etag: this.#etag, vary: 'accept-encoding' };
    const known = header('if-none-match');
    if (known !== undefined && namesTag(known, this.#etag.slice(2))) {
      return new Answer(304, headers, '');
    }
    const isWorth = this.position !== undefined && text.length >= compressFrom;
    if (!isWorth || !/\bgzip\b/.test(header('accept-encoding') ?? '')) {
      return new Answer(200, headers, text);
    }
    this.#zipped ??= compress(text, { level: compressionLevel });
    return new Answer(200, { ...headers, 'content-encoding': 'gzip' }, await this.#zipped);
  }
}
