import type { Address, CodedError, MessageMap, OutboxEvent, ReplyAfter, Turn } from './actor.ts';
import type { Envelope } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import type { Ports } from './ports/ports.ts';
import type { Operation, StoreReader, Table } from './store.ts';

/** Writes, tells, mails, events and timers that one turn may stage, each. */
export const stagedLimit = 10_000;

export interface StagedTell {
  readonly to: Address;
  readonly type: string;
  readonly payload: unknown;
}

export interface StagedTimer {
  readonly name: string;
  /** Undefined: the timer is cleared. */
  readonly atMs: number | undefined;
  readonly type: string;
  readonly payload: unknown;
}

/** What turns need from the thread that they run on. */
export interface TurnHost {
  readonly ports: Ports;
  readonly reader: StoreReader;
  ask(
    to: Address,
    type: string,
    payload: unknown,
    options: { deadlineMs: number; traceparent?: string },
  ): Promise<unknown>;
}

/** Thrown by `refuse`, caught by the engine. */
export class RefusalSignal {
  readonly error: CodedError;

  constructor(error: CodedError) {
    this.error = error;
  }
}

/** Collects what a handler stages; the engine commits it after the handler returned. */
export class StagedTurn implements Turn<unknown> {
  state: unknown;
  operations: Operation[] | undefined;
  soft: Operation[] | undefined;
  tells: StagedTell[] | undefined;
  mails: StagedTell[] | undefined;
  events: OutboxEvent[] | undefined;
  timers: StagedTimer[] | undefined;
  when: ReplyAfter | undefined;
  readonly #host: TurnHost;
  readonly #envelope: Envelope;
  #over = false;

  constructor(host: TurnHost, envelope: Envelope, state: unknown) {
    this.#host = host;
    this.#envelope = envelope;
    this.state = state;
  }

  get key(): string {
    return this.#envelope.key;
  }

  get ports(): Ports {
    return this.#host.ports;
  }

  get store(): StoreReader {
    return this.#host.reader;
  }

  get traceparent(): string | undefined {
    return this.#envelope.traceparent;
  }

  continueTrace(traceparent: string): void {
    this.#open();
    this.#envelope.traceparent = traceparent;
  }

  /** True when there is something that the store must take. */
  get hasWrites(): boolean {
    return (this.operations ?? this.mails ?? this.events ?? this.timers) !== undefined;
  }

  /** True when its answer has to wait for something, or something leaves with it. */
  get hasEffects(): boolean {
    return this.hasWrites || (this.soft ?? this.tells ?? this.when) !== undefined;
  }

  put<V>(table: Table<V>, key: string, value: V): void {
    this.operations = this.#stage(this.operations, {
      op: 'put',
      table: table as Table<unknown>,
      key,
      value,
    });
  }

  remove<V>(table: Table<V>, key: string): void {
    this.operations = this.#stage(this.operations, {
      op: 'remove',
      table: table as Table<unknown>,
      key,
    });
  }

  putSoon<V>(table: Table<V>, key: string, value: V): void {
    this.soft = this.#stage(this.soft, {
      op: 'put',
      table: table as Table<unknown>,
      key,
      value,
    });
  }

  tell<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
  ): void {
    this.tells = this.#stage(this.tells, { to: to as Address, type, payload });
  }

  mail<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
  ): void {
    this.mails = this.#stage(this.mails, { to: to as Address, type, payload });
  }

  async ask<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
    deadlineMs: number,
  ): Promise<M[T]['reply']> {
    this.#open();
    const trace = this.#envelope.traceparent;
    return this.#host.ask(to as Address, type, payload, {
      deadlineMs,
      ...(trace === undefined ? {} : { traceparent: trace }),
    });
  }

  emit(event: OutboxEvent): void {
    this.events = this.#stage(this.events, event);
  }

  setTimer(name: string, atMs: number, type: string, payload: unknown): void {
    this.timers = this.#stage(this.timers, { name, atMs, type, payload });
  }

  clearTimer(name: string): void {
    this.timers = this.#stage(this.timers, { name, atMs: undefined, type: '', payload: undefined });
  }

  replyAfter(when: ReplyAfter): void {
    this.#open();
    this.when = when;
  }

  refuse(error: CodedError): never {
    this.#open();
    throw new RefusalSignal(error);
  }

  /** From now on the turn takes nothing more. */
  end(): void {
    this.#over = true;
  }

  #open(): void {
    if (!this.#over) return;
    const { kind, key } = this.#envelope;
    throw new RuntimeError('RUNTIME_TURN_OVER', { kind, key });
  }

  #stage<T>(list: T[] | undefined, item: T): T[] {
    this.#open();
    if (list === undefined) return [item];
    if (list.length >= stagedLimit) {
      throw new RuntimeError('RUNTIME_LIMIT', { what: 'turn', limit: stagedLimit });
    }
    list.push(item);
    return list;
  }
}
