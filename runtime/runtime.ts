import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { RestartIntensity } from './actor.ts';
import type { ReviveError } from './channel.ts';
import type { RuntimeEvent } from './envelope.ts';
import { RuntimeError, reasonOf } from './errors.ts';
import type { AnyKind } from './host.ts';
import { nodePorts } from './ports/node-ports.ts';
import type { Ports } from './ports/ports.ts';
import type { StoreReader } from './store.ts';
import { RestartCounter } from './supervision.ts';
import { ThreadSystem } from './system.ts';
import { portLink, type ThreadBootstrap } from './thread-port.ts';
import { hostThread, type RunningThread, threadHeapLimits, workerThread } from './thread-start.ts';
import { mainThread, type ThreadRole, type Topology } from './topology.ts';

/** Threads of one process, without the main one. */
export const threadLimit = 256;
/** Jobs that may wait for a free pool thread. */
export const jobQueueLimit = 10_000;
const startDeadlineMs = 60_000;
const stopDeadlineMs = 20_000;
const defaultRestart: RestartIntensity = { maxRestarts: 10, withinMs: 60_000 };

export interface ServiceHost {
  readonly name: string;
  /** Module that exports `host(bootstrap: ThreadBootstrap): Promise<void>`. */
  readonly entry: URL;
  /** Service kinds that live here. */
  readonly kinds: readonly string[];
  readonly data?: unknown;
}

export interface EdgeThread {
  readonly name: string;
  readonly entry: URL;
  readonly data?: unknown;
}

export interface RuntimeOptions {
  /** Shards are named shard-0, shard-1, ... */
  readonly shards: number;
  readonly shardEntry: URL;
  readonly serviceHosts: readonly ServiceHost[];
  readonly edges?: readonly EdgeThread[];
  /** Pool threads beside those of the service hosts. Default 1. */
  readonly jobThreads?: number;
  /** Given to every thread as `bootstrap.data` (an entry's own `data` takes its place). */
  readonly workerData?: unknown;
  /** Shards start beside the service hosts; their entries wait for what they need of them. */
  readonly startTogether?: boolean;
  readonly restart?: RestartIntensity;
  readonly onEvent?: (event: RuntimeEvent) => void;
  /** Control messages to the main thread that are not the engine's: name -> answer. */
  readonly onControl?: (name: string, body: unknown, from: string) => unknown;
  readonly reviveError?: ReviveError;
  /** Readers of the shards' stores, when the main thread itself talks to fleet actors. */
  readonly stores?: Readonly<Record<string, StoreReader>>;
  /** Kinds that the main thread talks to; it hosts none. */
  readonly kinds?: readonly AnyKind[];
  readonly ports?: Ports;
}

interface Place {
  readonly name: string;
  readonly role: ThreadRole;
  readonly entry: URL;
  readonly data: unknown;
  readonly restarts: RestartCounter;
  running: RunningThread | undefined;
}

/** Names of the shards of a system. */
export function shardNames(shards: number): string[] {
  return Array.from({ length: shards }, (_, index) => `shard-${index}`);
}

/** The main thread: starts the others, wires them, replaces those that die, stops them in order. */
export class Runtime {
  readonly topology: Topology;
  readonly system: ThreadSystem;
  readonly #options: RuntimeOptions;
  readonly #ports: Ports;
  readonly #pool: Piscina;
  readonly #places: Place[];
  #started = false;
  #stopping = false;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#ports = options.ports ?? nodePorts();
    this.#places = this.#plan();
    if (this.#places.length > threadLimit) {
      throw new RuntimeError('RUNTIME_LIMIT', { what: 'process', limit: threadLimit });
    }
    const services = options.serviceHosts.flatMap(({ name, kinds }) =>
      kinds.map((kind) => [kind, name] as const),
    );
    this.topology = {
      threads: this.#places.map(({ name, role }) => ({ name, role })),
      services: Object.fromEntries(services),
    };
    this.system = new ThreadSystem({
      thread: mainThread,
      topology: this.topology,
      kinds: options.kinds ?? [],
      ports: this.#ports,
      ...(options.stores ? { stores: options.stores } : {}),
      ...(options.onEvent ? { onEvent: options.onEvent } : {}),
      ...(options.reviveError ? { reviveError: options.reviveError } : {}),
      onControl: (name, body, from) => this.#control(name, body, from),
    });
    const threads = options.serviceHosts.length + (options.jobThreads ?? 1);
    this.#pool = new Piscina({
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      maxQueue: jobQueueLimit,
      atomics: 'disabled',
      resourceLimits: threadHeapLimits,
    });
    // A worker that dies fails its task, which is where it is handled.
    this.#pool.on('error', () => undefined);
  }

  /** Service hosts first, as shards read their stores; edges last. */
  async start(): Promise<void> {
    const steps: readonly (readonly ThreadRole[])[] = this.#options.startTogether
      ? [['service', 'fleet'], ['edge']]
      : [['service'], ['fleet'], ['edge']];
    for (const roles of steps) {
      const places = this.#places.filter(({ role }) => roles.includes(role));
      await Promise.all(places.map((place) => this.#startPlace(place)));
    }
    this.#started = true;
  }

  /** Runs the exported function `name` of the module in a free pool thread. */
  async runJob(module: URL, name: string, payload: unknown): Promise<unknown> {
    try {
      return await this.#pool.run(payload, { filename: fileURLToPath(module), name });
    } catch (error) {
      const details = { name, reason: reasonOf(error) };
      throw new RuntimeError('RUNTIME_JOB_FAILED', details, { cause: error });
    }
  }

  /** Ends a thread as a crash would; it is replaced. For tests and for stuck threads. */
  async kill(name: string): Promise<void> {
    await this.#places.find((place) => place.name === name)?.running?.kill();
  }

  /** Edges first, so that no new work comes in; service hosts last, as they take the rest. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const role of ['edge', 'fleet', 'service'] as const) {
      const places = this.#places.filter((place) => place.role === role);
      await Promise.all(places.map((place) => this.#stopPlace(place)));
    }
    await this.system.stop();
    await this.#pool.destroy();
  }

  #plan(): Place[] {
    const { shards, shardEntry, serviceHosts, edges = [], workerData, restart } = this.#options;
    const place = (name: string, role: ThreadRole, entry: URL, data: unknown): Place => ({
      name,
      role,
      entry,
      data: data ?? workerData,
      restarts: new RestartCounter(restart ?? defaultRestart),
      running: undefined,
    });
    return [
      ...serviceHosts.map(({ name, entry, data }) => place(name, 'service', entry, data)),
      ...shardNames(shards).map((name) => place(name, 'fleet', shardEntry, undefined)),
      ...edges.map(({ name, entry, data }) => place(name, 'edge', entry, data)),
    ];
  }

  async #startPlace(place: Place): Promise<void> {
    const control = new MessageChannel();
    const links = this.#wire(place.name);
    const bootstrap: ThreadBootstrap = {
      thread: place.name,
      role: place.role,
      topology: this.topology,
      control: control.port2,
      links: links.map(({ peer, port }) => ({ peer, port })),
      data: place.data,
    };
    const transfer = [control.port2, ...links.map(({ port }) => port)];
    const start = { entry: place.entry, bootstrap, transfer, control: control.port1 };
    const running =
      place.role === 'service'
        ? hostThread(this.#pool, start, this.#ports.clock)
        : workerThread(start);
    place.running = running;
    running.ended.then((error) => this.#ended(place, running, error));
    await this.#deadline(running.ready, startDeadlineMs, place.name);
    this.#tell({ type: 'thread.started', reason: place.role }, place.name);
  }

  /** A link to the main thread and to each thread that runs. */
  #wire(name: string): { peer: string; port: MessageChannel['port1'] }[] {
    const main = new MessageChannel();
    this.system.attach(name, portLink(main.port1));
    const links = [{ peer: mainThread, port: main.port2 }];
    for (const { name: peer, running } of this.#places) {
      if (peer === name || !running) continue;
      const pair = new MessageChannel();
      running.order({ order: 'attach', peer: name, port: pair.port1 }, [pair.port1]);
      links.push({ peer, port: pair.port2 });
    }
    return links;
  }

  #ended(place: Place, running: RunningThread, error: unknown): void {
    if (place.running !== running) return;
    place.running = undefined;
    this.system.detach(place.name);
    for (const other of this.#places) {
      other.running?.order({ order: 'detach', peer: place.name }, []);
    }
    if (this.#stopping || !this.#started) return;
    const stack = error instanceof Error ? error.stack : undefined;
    const reason = error === undefined ? 'it ended by itself' : reasonOf(error);
    this.#tell(
      { type: 'thread.crashed', reason, ...(stack === undefined ? {} : { stack }) },
      place.name,
    );
    if (!place.restarts.mayRestart(this.#ports.clock.monotonicMs())) {
      this.#tell({ type: 'thread.parked', reason }, place.name);
      return;
    }
    this.#startPlace(place).then(
      () => this.#tell({ type: 'thread.replaced' }, place.name),
      // A start that failed also ended the thread, which brings us back here.
      () => undefined,
    );
  }

  async #stopPlace(place: Place): Promise<void> {
    const { running } = place;
    if (!running) return;
    running.order({ order: 'stop' }, []);
    await this.#deadline(running.stopped, stopDeadlineMs, place.name).catch(() => undefined);
    await running.kill();
  }

  #deadline<T>(promise: Promise<T>, limitMs: number, thread: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#ports.clock.after(limitMs, () =>
        reject(
          new RuntimeError('RUNTIME_START_FAILED', { thread, reason: `${limitMs} ms passed` }),
        ),
      );
      promise.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #control(name: string, body: unknown, from: string): unknown {
    if (name !== 'job') return this.#options.onControl?.(name, body, from);
    const job = body as { module: string; name: string; payload: unknown };
    return this.runJob(new URL(job.module), job.name, job.payload);
  }

  #tell(event: Omit<RuntimeEvent, 'atMs' | 'thread'>, thread: string): void {
    this.#options.onEvent?.({ ...event, atMs: this.#ports.clock.nowMs(), thread });
  }
}

/** Starts the whole system; when a thread cannot start, stops what did and rejects. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const runtime = new Runtime(options);
  try {
    await runtime.start();
    return runtime;
  } catch (error) {
    await runtime.stop();
    throw error;
  }
}
