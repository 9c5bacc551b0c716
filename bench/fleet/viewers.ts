import { Agent, type RequestOptions, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { Latencies } from './histogram.ts';

/** What a dashboard asks for, again and again. Those that this server has not are left out. */
const paths = [
  '/api/v1/status',
  '/api/v1/envoys?limit=50',
  '/api/v1/runs?limit=50',
  '/api/v1/audit?limit=50',
  '/',
  '/envoys',
  '/runs',
] as const;
const streamPath = '/api/v1/events';
/** A person looks at a page for so long; each viewer differs by up to half of it. */
const lookMs = 5000;
const seatingMaxMs = 30_000;
const pollMs = 100;

export interface ViewersTarget {
  readonly port: number;
  readonly caPem: string;
  readonly token: string;
}

export interface ViewersSeen {
  readonly viewers: number;
  /** Event streams that the server has opened. */
  readonly streams: number;
  readonly stream_events: number;
  readonly requests: number;
  readonly failed: number;
  /** Milliseconds, by path. */
  readonly pages: Readonly<Record<string, { readonly p50: number; readonly p99: number }>>;
}

/** People in front of dashboards: each holds the event stream and turns over pages. */
export class Viewers {
  readonly #target: ViewersTarget;
  readonly #random: () => number;
  readonly #latencies = new Map<string, Latencies>();
  readonly #agents: Agent[] = [];
  readonly #cancel = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  requests = 0;
  failed = 0;
  streams = 0;
  streamEvents = 0;

  constructor(target: ViewersTarget, random: () => number = Math.random) {
    this.#target = target;
    this.#random = random;
  }

  /** Resolves when it is known which pages there are. */
  async start(count: number): Promise<void> {
    const probe = this.#agent();
    const known: string[] = [];
    for (const path of paths) {
      if ((await this.#get(path, probe)) === 200) known.push(path);
    }
    for (const path of known) this.#latencies.set(path, new Latencies());
    this.#running = Promise.all(Array.from({ length: count }, () => this.#view(known)));
  }

  /** Resolves when all hold their stream: the cost of 200 people who arrive at once is not that of their looking. */
  async seated(count: number): Promise<void> {
    for (let waitedMs = 0; this.streams < count && waitedMs < seatingMaxMs; waitedMs += pollMs)
      await sleep(pollMs);
  }

  async stop(): Promise<void> {
    this.#cancel.abort();
    await this.#running;
    for (const agent of this.#agents) agent.destroy();
  }

  /** What they have seen so far. */
  figures(viewers: number): ViewersSeen {
    const { requests, failed, streams, streamEvents: stream_events } = this;
    return { viewers, streams, stream_events, requests, failed, pages: this.#pages() };
  }

  #pages(): Record<string, { p50: number; p99: number }> {
    return Object.fromEntries(
      [...this.#latencies].map(([path, latencies]) => {
        const { p50, p99 } = latencies.summary();
        return [path, { p50, p99 }];
      }),
    );
  }

  #agent(): Agent {
    const agent = new Agent({ keepAlive: true, maxSockets: 2, ca: this.#target.caPem });
    this.#agents.push(agent);
    return agent;
  }

  async #view(known: readonly string[]): Promise<void> {
    const agent = this.#agent();
    this.#stream(agent);
    const first = Math.floor(this.#random() * known.length);
    for (let at = first; known.length > 0 && !this.#cancel.signal.aborted; at += 1) {
      const path = known[at % known.length] as string;
      const startedMs = performance.now();
      const status = await this.#get(path, agent);
      if (this.#cancel.signal.aborted) return;
      this.requests += 1;
      if (status === 200) {
        this.#latencies.get(path)?.record((performance.now() - startedMs) * 1000);
      } else this.failed += 1;
      const pauseMs = lookMs * (0.5 + this.#random());
      await sleep(pauseMs, undefined, { signal: this.#cancel.signal }).catch(() => undefined);
    }
  }

  /** Server-sent events, for as long as the viewer looks. */
  #stream(agent: Agent): void {
    const outgoing = request({ ...this.#request(streamPath, agent), agent }, (incoming) => {
      const isStream = incoming.headers['content-type']?.startsWith('text/event-stream') === true;
      if (incoming.statusCode !== 200 || !isStream) {
        incoming.resume();
        return;
      }
      this.streams += 1;
      incoming.on('data', (chunk: Buffer) => {
        this.streamEvents += chunk.toString('latin1').split('\ndata:').length - 1;
      });
      incoming.on('error', () => {});
    });
    outgoing.setHeader('accept', 'text/event-stream');
    outgoing.on('error', () => {});
    outgoing.end();
  }

  #request(path: string, agent: Agent): RequestOptions {
    const headers = { authorization: `Bearer ${this.#target.token}` };
    const { signal } = this.#cancel;
    return { host: '127.0.0.1', port: this.#target.port, path, agent, headers, signal };
  }

  /** The status, once the whole page is here; 0 when there was none. */
  #get(path: string, agent: Agent): Promise<number> {
    return new Promise((resolve) => {
      const outgoing = request(this.#request(path, agent), (incoming) => {
        incoming.resume();
        incoming.on('end', () => resolve(incoming.statusCode ?? 0));
        incoming.on('error', () => resolve(0));
      });
      outgoing.on('error', () => resolve(0));
      outgoing.end();
    });
  }
}
