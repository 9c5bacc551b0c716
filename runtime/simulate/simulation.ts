import type { RestartIntensity } from '../actor.ts';
import type { RuntimeEvent } from '../envelope.ts';
import type { AnyKind } from '../host.ts';
import { Outbox } from '../outbox.ts';
import type { Ports } from '../ports/ports.ts';
import type { StoreReader } from '../store.ts';
import { RestartCounter } from '../supervision.ts';
import { type SystemOptions, ThreadSystem } from '../system.ts';
import { mainThread, type ThreadRole, type Topology } from '../topology.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedClock, SimulatedTime } from './simulated-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { simulatedLinks } from './simulated-link.ts';
import {
  noStoreFaults,
  openSimulatedStore,
  type SimulatedStore,
  type SimulatedStoreFaults,
} from './simulated-store.ts';
import { SimulatedStoreDisk } from './simulated-store-disk.ts';

/** Events that one `until` may run before the simulation counts as stuck. */
const stepLimit = 5_000_000;
/** Virtual time between a thread's death and its replacement. */
const replaceAfterMs = 50;
const defaultEpochMs = Date.UTC(2026, 0, 1);

export interface SimulationOptions {
  readonly seed: number;
  readonly shards: number;
  readonly serviceHosts: readonly { readonly name: string; readonly kinds: readonly string[] }[];
  readonly kinds: readonly AnyKind[];
  readonly softFlushMs?: number;
  /** Longest delay of a batch between threads. Default 2 ms. */
  readonly linkDelayMs?: number;
  /** Wall clock at the start. */
  readonly epochMs?: number;
  readonly restart?: RestartIntensity;
  readonly onEvent?: (event: RuntimeEvent) => void;
  /** Further options of a thread's system, also when it is replaced. */
  readonly threadOptions?: (thread: string) => Partial<SystemOptions>;
}

interface SimulatedThread {
  readonly name: string;
  readonly role: ThreadRole;
  readonly disk: SimulatedStoreDisk;
  readonly faults: SimulatedStoreFaults;
  readonly restarts: RestartCounter;
  clock: SimulatedClock;
  store: SimulatedStore | undefined;
  system: ThreadSystem | undefined;
}

/** A whole system on one real thread: virtual time, seeded chance, faults on order. */
export class Simulation {
  readonly time = new SimulatedTime();
  readonly random: SeededRandom;
  readonly disk = new SimulatedDisk();
  readonly topology: Topology;
  /** The main thread's door. */
  system: ThreadSystem;
  readonly #options: SimulationOptions;
  readonly #threads: SimulatedThread[];

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed);
    const thread = (name: string, role: ThreadRole): SimulatedThread => ({
      name,
      role,
      disk: new SimulatedStoreDisk(),
      faults: noStoreFaults(),
      restarts: new RestartCounter(options.restart ?? { maxRestarts: 10, withinMs: 60_000 }),
      clock: this.#newClock(),
      store: undefined,
      system: undefined,
    });
    this.#threads = [
      ...options.serviceHosts.map(({ name }) => thread(name, 'service')),
      ...Array.from({ length: options.shards }, (_, index) => thread(`shard-${index}`, 'fleet')),
    ];
    this.topology = {
      threads: this.#threads.map(({ name, role }) => ({ name, role })),
      services: Object.fromEntries(
        options.serviceHosts.flatMap(({ name, kinds }) =>
          kinds.map((kind) => [kind, name] as const),
        ),
      ),
    };
    this.system = this.#newMain();
  }

  async start(): Promise<void> {
    await this.until(this.#startAll());
  }

  thread(name: string): ThreadSystem | undefined {
    return this.#find(name).system;
  }

  /** What goes wrong with the thread's store; change it at any moment. */
  faults(name: string): SimulatedStoreFaults {
    return this.#find(name).faults;
  }

  /** A reader of the thread's store, as other threads have it. */
  reader(name: string): StoreReader {
    const { disk } = this.#find(name);
    return openSimulatedStore({ disk, ports: this.#ports(this.#newClock()) }).store;
  }

  /** Lets the virtual time pass. */
  async run(forMs: number): Promise<void> {
    const untilMs = this.time.nowMs + forMs;
    await breathe();
    while (this.time.step(untilMs)) await breathe();
  }

  /** Lets the virtual time pass until the promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    await breathe();
    for (let steps = 0; !settled; steps += 1) {
      const moved = this.time.step(Number.POSITIVE_INFINITY);
      await breathe();
      if (settled) break;
      if (!moved || steps >= stepLimit) throw new Error('the simulation is stuck');
    }
    return promise;
  }

  /** The thread dies: what its store committed stays. It is replaced under the restart intensity. */
  kill(name: string): void {
    const thread = this.#find(name);
    if (!thread.system) return;
    this.#end(thread);
    thread.store?.close();
    this.#tell({ type: 'thread.crashed', reason: 'killed' }, name);
    if (!thread.restarts.mayRestart(this.time.nowMs)) {
      this.#tell({ type: 'thread.parked', reason: 'killed' }, name);
      return;
    }
    this.time.at(this.time.nowMs + replaceAfterMs, () => {
      this.#startThread(thread).then(() => this.#tell({ type: 'thread.replaced' }, name));
    });
  }

  /** Everything dies at once, what was not durable is lost; then the system starts again. */
  async powerLoss(): Promise<void> {
    for (const thread of this.#threads) {
      this.#end(thread);
      thread.store?.crash();
    }
    this.system.crash();
    this.system = this.#newMain();
    await this.start();
  }

  async stop(): Promise<void> {
    const stopping = this.#threads.map(async (thread) => {
      await thread.system?.stop();
      await thread.store?.close();
    });
    await this.until(Promise.all([...stopping, this.system.stop()]));
  }

  #find(name: string): SimulatedThread {
    const thread = this.#threads.find((candidate) => candidate.name === name);
    if (!thread) throw new Error(`the simulation has no thread ${name}`);
    return thread;
  }

  #newClock(): SimulatedClock {
    return new SimulatedClock(this.time, this.#options.epochMs ?? defaultEpochMs);
  }

  #ports(clock: SimulatedClock): Ports {
    return { clock, random: this.random, disk: this.disk };
  }

  #readers(except: string): Record<string, StoreReader> {
    const others = this.#threads.filter(({ name }) => name !== except);
    return Object.fromEntries(others.map(({ name }) => [name, this.reader(name)]));
  }

  #newMain(): ThreadSystem {
    const { kinds, onEvent } = this.#options;
    return new ThreadSystem({
      thread: mainThread,
      topology: this.topology,
      kinds,
      ports: this.#ports(this.#newClock()),
      stores: this.#readers(mainThread),
      ...(onEvent ? { onEvent } : {}),
    });
  }

  async #startAll(): Promise<void> {
    for (const thread of this.#threads) await this.#startThread(thread);
  }

  async #startThread(thread: SimulatedThread): Promise<void> {
    thread.clock = this.#newClock();
    const ports = this.#ports(thread.clock);
    // The store keeps its own clock: it commits and flushes what it has, also without its thread.
    const { store } = openSimulatedStore({
      disk: thread.disk,
      ports: this.#ports(this.#newClock()),
      faults: thread.faults,
    });
    thread.store = store;
    const outbox = await Outbox.open(store);
    const { kinds, softFlushMs, threadOptions } = this.#options;
    const system = new ThreadSystem({
      thread: thread.name,
      topology: this.topology,
      kinds,
      ports,
      store,
      outbox,
      stores: this.#readers(thread.name),
      ...(softFlushMs === undefined ? {} : { softFlushMs }),
      ...threadOptions?.(thread.name),
    });
    thread.system = system;
    this.#wire(thread, system);
    system.start();
  }

  #wire(thread: SimulatedThread, system: ThreadSystem): void {
    const others = this.#threads.filter((other) => other !== thread && other.system);
    const peers = [{ name: mainThread, system: this.system }, ...others];
    for (const { name, system: peer } of peers) {
      const delayMs = this.#options.linkDelayMs ?? 2;
      const [here, there] = simulatedLinks(this.time, this.random, delayMs);
      system.attach(name, here);
      peer?.attach(thread.name, there);
    }
  }

  #end(thread: SimulatedThread): void {
    thread.clock.die();
    thread.system?.crash();
    thread.system = undefined;
    this.system.detach(thread.name);
    for (const other of this.#threads) other.system?.detach(thread.name);
  }

  #tell(event: Omit<RuntimeEvent, 'atMs' | 'thread'>, thread: string): void {
    const atMs = this.system.ports.clock.nowMs();
    this.#options.onEvent?.({ ...event, atMs, thread });
  }
}

/** Lets every promise that can settle do so: nothing in a simulation waits for anything real. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export async function startSimulation(options: SimulationOptions): Promise<Simulation> {
  const simulation = new Simulation(options);
  await simulation.start();
  return simulation;
}
