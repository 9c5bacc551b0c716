import type { ActorSystem, Address, MessageMap, OutboxEvent } from './actor.ts';
import { type Ask, Asks, pendingAskLimit } from './asks.ts';
import { Channel, type ChannelReceiver, type ReviveError, reviveError } from './channel.ts';
import { Committer } from './committer.ts';
import { deliveryOutcome } from './delivery-outcome.ts';
import { Directory } from './directory.ts';
import type { Envelope, ReplyTo, RuntimeEvent } from './envelope.ts';
import { RuntimeError, reasonOf } from './errors.ts';
import { ActorHost, type AnyKind, type HostThread, isCodedError } from './host.ts';
import { Locks } from './locks.ts';
import { MailRoom } from './mail.ts';
import type { Link } from './ports/network.ts';
import type { Ports } from './ports/ports.ts';
import { ReplyOver } from './reply-over.ts';
import { Reports } from './reports.ts';
import { SoftWrites } from './soft-writes.ts';
import type { Operation, Store, StoreReader } from './store.ts';
import { DurableTimers } from './timers.ts';
import { mainThread, serviceHosts, type Topology } from './topology.ts';
import type { StagedTurn } from './turn.ts';
import { Wheel } from './wheel.ts';

/** Default time that soft writes may wait. */
export const defaultSoftFlushMs = 250;
/** Deadline of questions that the engine itself asks: mail and timers. */
const deliveryDeadlineMs = 60_000;
/** Deadline of a claim lock; a claim holds it for one release and one commit. */
const lockDeadlineMs = 30_000;

export interface SystemOptions {
  readonly thread: string;
  readonly topology: Topology;
  /** Kinds that this thread hosts, and fleet or service kinds that it only needs to place. */
  readonly kinds: readonly AnyKind[];
  readonly ports: Ports;
  /** The thread's own store; absent on edge threads. */
  readonly store?: Store;
  /** Readers of the other threads' stores, by thread name. */
  readonly stores?: Readonly<Record<string, StoreReader>>;
  /** Where `emit` puts events. */
  readonly outbox?: { outboxOperations(events: readonly OutboxEvent[]): Operation[] };
  /** Called after a turn that emitted events has committed. */
  readonly onEmitted?: () => void;
  readonly softFlushMs?: number;
  /** Transactions begin at least so far apart, those aside that are full or hold soft rows. Default 0. */
  readonly commitGatherMs?: number;
  readonly onEvent?: (event: RuntimeEvent) => void;
  /** Another shard claimed an actor that was used here: its connection here is the older one. */
  readonly onClaimLost?: (address: Address, thread: string) => void;
  readonly reviveError?: ReviveError;
  /** Control messages that the thread's surroundings handle: name -> answer. */
  readonly onControl?: (name: string, body: unknown, from: string) => unknown;
}

/** The actors and the doors of one thread, wired to the other threads of the system by channels. */
export class ThreadSystem implements ActorSystem {
  readonly ports: Ports;
  readonly name: string;
  readonly host: ActorHost;
  readonly #options: SystemOptions;
  readonly #wheel: Wheel;
  readonly #asks: Asks;
  readonly #committer: Committer | undefined;
  readonly #soft: SoftWrites | undefined;
  readonly #timers: DurableTimers | undefined;
  readonly #mail: MailRoom | undefined;
  readonly #directory: Directory;
  readonly #locks = new Locks();
  readonly #reports: Reports;
  readonly #channels = new Map<string, Channel>();
  /** Service kind -> its host thread. */
  readonly #services: ReadonlyMap<string, string>;
  #stopping = false;

  constructor(options: SystemOptions) {
    this.#options = options;
    this.ports = options.ports;
    this.name = options.thread;
    this.#wheel = new Wheel(options.ports.clock);
    this.#asks = new Asks(this.#wheel);
    this.#reports = new Reports(options.ports.clock, this.#wheel, options.thread, (event) =>
      this.#publish(event),
    );
    const { store } = options;
    if (store) {
      const { clock } = options.ports;
      this.#committer = new Committer(store, { clock, gatherMs: options.commitGatherMs ?? 0 });
      const flushMs = options.softFlushMs ?? defaultSoftFlushMs;
      const lost = (error: unknown) => this.#softLost(error);
      this.#soft = new SoftWrites(store, this.#committer, this.#wheel, { flushMs, lost });
      this.#timers = this.#makeTimers(this.#soft);
      this.#mail = this.#makeMail(this.#soft);
    }
    this.#directory = this.#makeDirectory();
    this.#services = serviceHosts(options.topology, options.kinds, this.name);
    this.host = new ActorHost(this.#hostThread(), options.kinds);
  }

  /** Takes up the timers and mails that the last life of this thread left. */
  start(): void {
    const services = this.#options.kinds.filter(({ placement }) => placement === 'service');
    this.#timers?.loadKinds(services.map(({ name }) => name));
    this.#mail?.load();
  }

  tell<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
    options?: { traceparent?: string },
  ): void {
    this.#route(to as Address, type, payload, options?.traceparent, false, undefined);
  }

  ask<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
    options: { deadlineMs: number; traceparent?: string },
  ): Promise<M[T]['reply']> {
    return this.#ask(to as Address, type, payload, options, false) as Promise<M[T]['reply']>;
  }

  async claim(address: Address): Promise<void> {
    if (this.#stopping) throw new RuntimeError('RUNTIME_STOPPING');
    await this.#directory.claim(address);
    this.#mail?.nudge(address.kind, address.key);
  }

  release(address: Address): void {
    this.#directory.release(address);
  }

  /** True when the fleet actor was claimed here and not released since. */
  holds(address: Address): boolean {
    return this.#directory.holds(address.kind, address.key);
  }

  /** Asks another thread's engine something; resolves with its answer. */
  request(thread: string, name: string, body: unknown, deadlineMs: number): Promise<unknown> {
    const ask = this.#asks.open({ kind: 'thread', key: thread }, name, deadlineMs);
    if (ask === undefined) return tooManyAsks();
    ask.thread = thread;
    const channel = this.#channels.get(thread);
    if (channel) channel.control(name, { id: ask.id, body });
    else ask.reject(new RuntimeError('RUNTIME_THREAD_GONE', { thread }));
    return ask.promise;
  }

  /** Wires another thread; a link of the same name is replaced. */
  attach(peer: string, link: Link): void {
    this.detach(peer);
    const channel: Channel = new Channel(
      peer,
      link,
      this.#receiver(() => channel),
    );
    this.#channels.set(peer, channel);
  }

  /** The other thread is gone: everything that waits for it fails now. */
  detach(peer: string): void {
    const channel = this.#channels.get(peer);
    if (!channel) return;
    this.#channels.delete(peer);
    channel.close();
    this.#asks.failThread(peer);
    this.#locks.dropThread(peer);
  }

  /** Finishes the turns under way, stores soft writes durably and lets go of everything. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.host.drained();
    this.#soft?.flush();
    await this.#committer?.allDurable();
    this.#reports.flush();
    for (const peer of [...this.#channels.keys()]) this.detach(peer);
    this.#asks.failAll(new RuntimeError('RUNTIME_STOPPING'));
    this.#wheel.stop();
  }

  /** Ends at once, as a crash does: nothing is flushed. For the simulator. */
  crash(): void {
    this.#stopping = true;
    this.#wheel.stop();
    for (const channel of this.#channels.values()) channel.drop();
    this.#channels.clear();
  }

  report(event: Omit<RuntimeEvent, 'atMs' | 'thread'>): void {
    this.#reports.add(event);
  }

  #ask(
    to: Address,
    type: string,
    payload: unknown,
    options: { deadlineMs: number; traceparent?: string },
    mail: boolean,
  ): Promise<unknown> {
    const ask = this.#asks.open(to, type, options.deadlineMs);
    if (ask === undefined) return tooManyAsks();
    ask.thread = this.#route(to, type, payload, options.traceparent, mail, ask);
    return ask.promise;
  }

  /** Sends a message to wherever its actor is; returns the other thread that it went to. */
  #route(
    to: Address,
    type: string,
    payload: unknown,
    traceparent: string | undefined,
    mail: boolean,
    ask: Ask | undefined,
  ): string | undefined {
    const { kind, key } = to;
    let thread: string | undefined;
    try {
      thread = this.#threadOf(kind, key);
    } catch (error) {
      this.#refused(kind, error, ask);
      return undefined;
    }
    if (thread === this.name) {
      if (this.#stopping) this.#refused(kind, new RuntimeError('RUNTIME_STOPPING'), ask);
      else this.host.deliver({ kind, key, type, payload, traceparent, mail, reply: ask });
      return undefined;
    }
    const channel = thread === undefined ? undefined : this.#channels.get(thread);
    if (channel === undefined) {
      const error =
        thread === undefined
          ? new RuntimeError('RUNTIME_NOT_PLACED', { kind, key })
          : new RuntimeError('RUNTIME_THREAD_GONE', { thread });
      this.#refused(kind, error, ask);
      return undefined;
    }
    const sent = ask
      ? channel.ask(ask.id, { kind, key, type, payload, traceparent, mail })
      : channel.tell(kind, key, type, payload, traceparent);
    if (sent) return channel.peer;
    this.#refused(kind, new RuntimeError('RUNTIME_LINK_FULL', { thread: channel.peer }), ask);
    return undefined;
  }

  /** The thread that runs the actor; undefined = a fleet actor that no shard holds. */
  #threadOf(kind: string, key: string): string | undefined {
    const service = this.#services.get(kind);
    if (service !== undefined) return service;
    if (this.#directory.holds(kind, key)) return this.name;
    const owner = this.#directory.find(kind, key)?.thread;
    return owner === this.name ? undefined : owner;
  }

  #refused(kind: string, error: unknown, reply: ReplyTo | undefined): void {
    const code = isCodedError(error) ? error.code : reasonOf(error);
    if (reply) reply.reject(error);
    else this.#reports.add({ type: 'tell.dropped', kind, code, count: 1 });
  }

  #deliver(envelope: Envelope): void {
    if (this.#stopping) {
      this.#refused(envelope.kind, new RuntimeError('RUNTIME_STOPPING'), envelope.reply);
      return;
    }
    const { kind, key } = envelope;
    const fleet = this.host.kind(kind)?.placement === 'fleet';
    if (fleet && !this.#directory.holds(kind, key)) {
      const error = new RuntimeError('RUNTIME_NOT_PLACED', { kind, key });
      this.#refused(kind, error, envelope.reply);
      return;
    }
    this.host.deliver(envelope);
  }

  #receiver(channel: () => Channel): ChannelReceiver {
    return {
      tell: (kind, key, type, payload, traceparent) =>
        this.#deliver({ kind, key, type, payload, traceparent, mail: false, reply: undefined }),
      ask: (id, { kind, key, type, payload, traceparent, mail }) => {
        const reply = new ReplyOver(channel(), id);
        this.#deliver({ kind, key, type, payload, traceparent, mail, reply });
      },
      value: (id, value) => this.#asks.answer(id, value),
      error: (id, error) => this.#asks.fail(id, reviveError(error, this.#options.reviveError)),
      control: (name, content) => {
        const { id, body } = content as { id: number; body: unknown };
        const reply = new ReplyOver(channel(), id);
        Promise.resolve()
          .then(() => this.#control(name, body, channel().peer))
          .then(
            (value) => reply.resolve(value),
            (error) => reply.reject(error),
          );
      },
    };
  }

  #control(name: string, body: unknown, from: string): unknown {
    switch (name) {
      case 'release':
        return this.#directory.released(body);
      case 'moved':
        return this.#directory.moved(body);
      case 'lock':
        return this.#locks.acquire(body as string, from);
      case 'unlock':
        return this.#locks.release(body as string, from);
      case 'event':
        return this.#options.onEvent?.(body as RuntimeEvent);
      default:
        return this.#options.onControl?.(name, body, from);
    }
  }

  /** Events are told here and, from other threads, to the subscriber on the main thread. */
  #publish(event: RuntimeEvent): void {
    this.#options.onEvent?.(event);
    if (this.name === mainThread || !this.#channels.has(mainThread)) return;
    this.request(mainThread, 'event', event, deliveryDeadlineMs).catch(() => undefined);
  }

  #softLost(error: unknown): void {
    const code = isCodedError(error) ? error.code : reasonOf(error);
    this.#reports.add({ type: 'actor.commit-failed', code, reason: 'soft write', count: 1 });
  }

  #hostThread(): HostThread {
    const empty: StoreReader = { get: () => undefined, range: () => [], count: () => 0 };
    return {
      name: this.name,
      ports: this.ports,
      wheel: this.#wheel,
      committer: this.#committer,
      soft: this.#soft,
      reader: this.#soft ?? empty,
      ask: (to, type, payload, options) => this.#ask(to, type, payload, options, false),
      report: (event) => this.#reports.add(event),
      effects: (envelope, turn) => this.#effects(envelope, turn),
      sendStaged: (envelope, turn) => {
        for (const { to, type, payload } of turn.tells ?? []) {
          this.#route(to, type, payload, envelope.traceparent, false, undefined);
        }
      },
    };
  }

  #effects(envelope: Envelope, turn: StagedTurn): ReturnType<HostThread['effects']> {
    const { timers, mails, events } = turn;
    if (!timers && !mails && !events) {
      return { operations: turn.operations ?? [], after: () => undefined };
    }
    if (events && !this.#options.outbox) {
      throw new RuntimeError('RUNTIME_NO_STORE', { thread: this.name });
    }
    const { kind, key } = envelope;
    const mail = mails ? this.#mail?.stage(envelope, mails) : undefined;
    const operations = [
      ...(turn.operations ?? []),
      ...(timers ? (this.#timers?.operations(kind, key, timers) ?? []) : []),
      ...(mail?.operations ?? []),
      ...(events ? (this.#options.outbox?.outboxOperations(events) ?? []) : []),
    ];
    const after = () => {
      if (timers) this.#timers?.committed(kind, key, timers);
      mail?.after();
      if (events) this.#options.onEmitted?.();
    };
    return { operations, after };
  }

  #makeTimers(reader: StoreReader): DurableTimers {
    return new DurableTimers({
      reader,
      clock: this.ports.clock,
      wheel: this.#wheel,
      remove: (operations) => this.#background(operations),
      fire: (kind, key, { type, payload }) =>
        this.#ask({ kind, key }, type, payload, { deadlineMs: deliveryDeadlineMs }, true).then(
          () => true,
          (error) => deliveryOutcome(error) === 'delivered',
        ),
    });
  }

  #makeMail(reader: StoreReader): MailRoom {
    return new MailRoom({
      reader,
      wheel: this.#wheel,
      random: this.ports.random,
      commit: (operations) => this.#background(operations),
      gaveUp: ({ kind, key, type }) => {
        this.#reports.add({ type: 'mail.dead', kind, key, reason: type });
      },
      deliver: ({ kind, key, type, payload, traceparent }) => {
        const trace = traceparent === undefined ? {} : { traceparent };
        const options = { deadlineMs: deliveryDeadlineMs, ...trace };
        return this.#ask({ kind, key }, type, payload, options, true).then(
          () => 'delivered' as const,
          deliveryOutcome,
        );
      },
    });
  }

  /** Housekeeping that is repeated after a restart when it is lost. */
  #background(operations: readonly Operation[]): void {
    this.#committer?.commit({ operations, durable: undefined, settled: () => undefined });
  }

  #makeDirectory(): Directory {
    const { topology, stores } = this.#options;
    return new Directory(
      {
        name: this.name,
        fleet: topology.threads.filter(({ role }) => role === 'fleet').map(({ name }) => name),
        reader: this.#soft,
        readerOf: (thread) => (thread === this.name ? this.#soft : stores?.[thread]),
        kind: (name) => this.host.kind(name),
        isLinked: (thread) => this.#channels.has(thread),
        request: (thread, name, body, deadlineMs) => this.request(thread, name, body, deadlineMs),
        commit: (operations) => this.#commit(operations),
        letGo: (kind, key, by) => this.#letGo(kind, key, by),
        mayRun: (kind, key) => this.#timers?.loadActor(kind, key),
      },
      async (name) => {
        const unlock = () => {
          this.request(mainThread, 'unlock', name, lockDeadlineMs).catch(() => undefined);
        };
        await this.request(mainThread, 'lock', name, lockDeadlineMs).catch((error) => {
          unlock();
          throw error;
        });
        return unlock;
      },
      (address, thread) => {
        this.#reports.add({ type: 'claim.lost', ...address, reason: thread });
        this.#options.onClaimLost?.(address, thread);
      },
    );
  }

  #commit(operations: readonly Operation[]): Promise<{ durable: Promise<void> }> {
    const committer = this.#committer;
    if (!committer) {
      return Promise.reject(new RuntimeError('RUNTIME_NO_STORE', { thread: this.name }));
    }
    return new Promise((resolve, reject) => {
      const durable = new Promise<void>((onDurable, onLost) => {
        committer.commit({
          operations,
          settled: (error) => (error === undefined ? resolve({ durable }) : reject(error)),
          durable: (error) => (error === undefined ? onDurable() : onLost(error)),
        });
      });
    });
  }

  async #letGo(kind: string, key: string, by?: string): Promise<void> {
    this.#timers?.disarmActor(kind, key);
    const elsewhere = () =>
      by === undefined
        ? new RuntimeError('RUNTIME_NOT_PLACED', { kind, key })
        : new RuntimeError('RUNTIME_CLAIM_LOST', { kind, key, thread: by });
    await this.host.evict(kind, key, elsewhere);
    await new Promise<void>((resolve) => {
      if (this.#soft) this.#soft.flush(() => resolve());
      else resolve();
    });
  }
}

function tooManyAsks(): Promise<never> {
  return Promise.reject(new RuntimeError('RUNTIME_ASKS_FULL', { limit: pendingAskLimit }));
}
