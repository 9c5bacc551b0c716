import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { Latencies } from './histogram.ts';
import { LivePage, type PageWatch, type ViewersTarget } from './live-page.ts';

/** What stands open on the screens of an office; whoever leafs goes through all of them. */
const pages = ['/', '/envoys', '/runs', '/', '/policy', '/server', '/', '/audit'] as const;
const seatingMaxMs = 60_000;
const pollMs = 100;
const tokensAtOnce = 20;
/** They do not arrive all at once. */
const arrivalMs = 10;
/** As of a browser. */
const socketsPerViewer = 6;

export interface ViewersSeen {
  readonly viewers: number;
  /** 'open': each keeps its page; 'leafing': each turns to another one again and again. */
  readonly kind: 'open' | 'leafing';
  /** Event streams that are open. */
  readonly streams: number;
  readonly stream_events: number;
  /** Pages and parts of pages. */
  readonly requests: number;
  /** Of those: parts that were fetched again, and parts that were the same as before. */
  readonly refreshes: number;
  readonly unchanged: number;
  readonly failed: number;
  /** Milliseconds, by path. */
  readonly pages: Readonly<Record<string, { readonly p50: number; readonly p99: number }>>;
}

/** Makes a credential for one viewer. */
export type MakeToken = (name: string) => Promise<string>;

/** People in front of dashboards, each known by a token of its own. */
export class Viewers {
  readonly #target: Omit<ViewersTarget, 'token'>;
  readonly #makeToken: MakeToken;
  readonly #turnEveryMs: number;
  readonly #latencies = new Map<string, Latencies>();
  readonly #agents: Agent[] = [];
  readonly #cancel = new AbortController();
  readonly #views: Promise<void>[] = [];
  requests = 0;
  refreshes = 0;
  unchanged = 0;
  failed = 0;
  streams = 0;
  streamEvents = 0;

  /** `turnEveryMs`: how long each looks at a page, give or take a half; 0: for ever. */
  constructor(target: Omit<ViewersTarget, 'token'>, makeToken: MakeToken, turnEveryMs: number) {
    this.#target = target;
    this.#makeToken = makeToken;
    this.#turnEveryMs = turnEveryMs;
  }

  /** Resolves when all have arrived. */
  async start(count: number): Promise<void> {
    const names = Array.from({ length: count }, (_, at) => `viewer-${at}`);
    const tokens: string[] = [];
    while (tokens.length < count) {
      const some = names.slice(tokens.length, tokens.length + tokensAtOnce);
      tokens.push(...(await Promise.all(some.map(this.#makeToken))));
    }
    for (const [at, token] of tokens.entries()) {
      this.#views.push(this.#view(at, token));
      await sleep(arrivalMs);
    }
  }

  /** Resolves when all hold their stream: the cost of 200 people who arrive at once is not that of their looking. */
  async seated(count: number): Promise<void> {
    for (let waitedMs = 0; this.streams < count && waitedMs < seatingMaxMs; waitedMs += pollMs)
      await sleep(pollMs);
  }

  /** Counts from here on. */
  startMeasuring(): void {
    this.requests = 0;
    this.refreshes = 0;
    this.unchanged = 0;
    this.failed = 0;
    this.streamEvents = 0;
    this.#latencies.clear();
  }

  async stop(): Promise<void> {
    this.#cancel.abort();
    await Promise.all(this.#views);
    for (const agent of this.#agents) agent.destroy();
  }

  /** What they have seen so far. */
  figures(viewers: number): ViewersSeen {
    const { requests, refreshes, unchanged, failed, streams } = this;
    const kind = this.#turnEveryMs > 0 ? 'leafing' : 'open';
    const counts = { requests, refreshes, unchanged, failed, pages: this.#pages() };
    return { viewers, kind, streams, stream_events: this.streamEvents, ...counts };
  }

  #pages(): Record<string, { p50: number; p99: number }> {
    return Object.fromEntries(
      [...this.#latencies].map(([path, latencies]) => {
        const { p50, p99 } = latencies.summary();
        return [path, { p50, p99 }];
      }),
    );
  }

  async #view(first: number, token: string): Promise<void> {
    const { port, caPem } = this.#target;
    const agent = new Agent({ keepAlive: true, maxSockets: socketsPerViewer, ca: caPem });
    this.#agents.push(agent);
    for (let at = first; !this.#cancel.signal.aborted; at += 1) {
      const path = pages[at % pages.length] as string;
      const page = new LivePage(path, { port, caPem, token }, agent, this.#watch());
      await page.open();
      await this.#look();
      page.close();
    }
  }

  /** Until it is time for another page, or to go. */
  async #look(): Promise<void> {
    const { signal } = this.#cancel;
    const ms = this.#turnEveryMs * (0.5 + Math.random());
    const forMs = ms > 0 ? ms : 2 ** 31 - 1;
    await sleep(forMs, undefined, { signal }).catch(() => undefined);
  }

  #watch(): PageWatch {
    return {
      loaded: (path, kind, status, tookMs) => this.#loaded(path, kind, status, tookMs),
      streamOpened: () => {
        this.streams += 1;
      },
      streamEnded: () => {
        this.streams -= 1;
      },
      told: () => {
        this.streamEvents += 1;
      },
    };
  }

  #loaded(path: string, kind: 'page' | 'refresh', status: number, tookMs: number): void {
    this.requests += 1;
    if (kind === 'refresh') this.refreshes += 1;
    if (status === 304) this.unchanged += 1;
    if (status !== 200 && status !== 304) {
      this.failed += 1;
      return;
    }
    const known = this.#latencies.get(path) ?? new Latencies();
    this.#latencies.set(path, known);
    known.record(tookMs * 1000);
  }
}
