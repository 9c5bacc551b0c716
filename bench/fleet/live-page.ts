import type { IncomingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';

/** Where people connect, and how they are known. */
export interface ViewersTarget {
  readonly port: number;
  readonly caPem: string;
  readonly token: string;
}

/** What is told while a page is looked at. */
export interface PageWatch {
  /** A page, or a part of one, has come; milliseconds that it took. Status 0: nothing came. */
  loaded(path: string, kind: 'page' | 'refresh', status: number, tookMs: number): void;
  streamOpened(): void;
  streamEnded(): void;
  /** One event of the stream. */
  told(): void;
}

interface Fetched {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const streamPattern = / hx-sse:connect="([^"]*)"/;
const regionPattern = / hx-get="([^"]*)"[^>]* data-live-region/g;
/** What a browser says that it takes; parts come compressed. */
const browserHeaders = { 'accept-encoding': 'gzip, deflate, br, zstd' };
/** Of events upon which our pages read themselves again; see admin/web/components/live.ts. */
const newsEvents = new Set(['news', 'reset']);

/**
 * A page of the dashboard as our own script holds it in a browser that shows it: opened, its stream of
 * events kept, its live parts fetched again when there is news, without what is there already.
 */
export class LivePage {
  readonly #path: string;
  readonly #target: ViewersTarget;
  readonly #agent: Agent;
  readonly #watch: PageWatch;
  readonly #cancel = new AbortController();
  readonly #tags = new Map<string, string>();
  #regions: readonly string[] = [];
  /** The newest news that no part was asked for yet, while one is under way. */
  #waiting: string | undefined;
  #refreshing = false;

  constructor(path: string, target: ViewersTarget, agent: Agent, watch: PageWatch) {
    this.#path = path;
    this.#target = target;
    this.#agent = agent;
    this.#watch = watch;
  }

  /** Resolves when the page is there; its stream is being opened. */
  async open(): Promise<void> {
    const { status, text } = await this.#fetch(this.#path, 'page', {});
    if (status !== 200) return;
    this.#regions = [...text.matchAll(regionPattern)].map(([, path = '']) => unescaped(path));
    const stream = streamPattern.exec(text)?.[1];
    if (stream !== undefined) this.#listen(unescaped(stream));
  }

  /** Goes away, as when another page is opened. */
  close(): void {
    this.#cancel.abort();
  }

  #listen(path: string): void {
    const headers = { accept: 'text/html, text/event-stream', 'hx-request': 'true' };
    const outgoing = request(this.#options(path, headers), (incoming) => {
      const isStream = incoming.headers['content-type']?.startsWith('text/event-stream') === true;
      if (incoming.statusCode !== 200 || !isStream) {
        incoming.resume();
        return;
      }
      this.#watch.streamOpened();
      let rest = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        const messages = `${rest}${chunk}`.split('\n\n');
        rest = messages.pop() ?? '';
        for (const message of messages) this.#take(message);
      });
      incoming.on('error', () => {});
      incoming.once('close', () => this.#watch.streamEnded());
    });
    outgoing.on('error', () => {});
    outgoing.end();
  }

  #take(message: string): void {
    const type = /^event: (.*)$/m.exec(message)?.[1];
    if (type === undefined || type === 'hello') return;
    this.#watch.told();
    if (!newsEvents.has(type)) return;
    this.#waiting = /^id: (.*)$/m.exec(message)?.[1] ?? '';
    if (!this.#refreshing) void this.#refresh();
  }

  async #refresh(): Promise<void> {
    this.#refreshing = true;
    while (this.#waiting !== undefined && !this.#cancel.signal.aborted) {
      const news = this.#waiting;
      this.#waiting = undefined;
      for (const path of this.#regions) {
        const tag = this.#tags.get(path);
        const { status, headers } = await this.#fetch(path, 'refresh', {
          ...{ 'hx-request': 'true', 'vigo-news': news },
          ...(tag === undefined ? {} : { 'if-none-match': tag }),
        });
        if (status === 200 && headers.etag !== undefined) this.#tags.set(path, headers.etag);
      }
    }
    this.#refreshing = false;
  }

  /** Status 0 when there was none. */
  async #fetch(
    path: string,
    kind: 'page' | 'refresh',
    headers: Readonly<Record<string, string>>,
  ): Promise<Fetched> {
    const startedMs = performance.now();
    const fetched = await this.#get(path, { ...browserHeaders, ...headers });
    if (!this.#cancel.signal.aborted) {
      this.#watch.loaded(path, kind, fetched.status, performance.now() - startedMs);
    }
    return fetched;
  }

  #get(path: string, headers: Readonly<Record<string, string>>): Promise<Fetched> {
    return new Promise((resolve) => {
      const none = () => resolve({ status: 0, headers: {}, text: '' });
      const outgoing = request(this.#options(path, headers), (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', none);
        incoming.on('end', () => {
          const { statusCode: status = 0, headers } = incoming;
          resolve({ status, headers, text: Buffer.concat(chunks).toString() });
        });
      });
      outgoing.on('error', none);
      outgoing.end();
    });
  }

  #options(path: string, headers: Readonly<Record<string, string>>) {
    const { port, token } = this.#target;
    const { signal } = this.#cancel;
    const all = { ...headers, authorization: `Bearer ${token}` };
    return { host: '127.0.0.1', port, path, agent: this.#agent, headers: all, signal };
  }
}

/** Of what stands in an attribute. */
function unescaped(text: string): string {
  return text.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
