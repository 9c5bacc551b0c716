import type { Ports } from './ports/ports.ts';
import type { StoreReader, Table } from './store.ts';

/** The messages that a kind of actor understands: name -> what is sent and what comes back. */
export type MessageMap = Record<string, { payload: unknown; reply: unknown }>;

/** Names one actor, wherever it lives and whether or not it is in memory. */
export interface Address<M extends MessageMap = MessageMap> {
  readonly kind: string;
  readonly key: string;
  /** Never set; carries the message types. */
  readonly messages?: M;
}

/** `fleet`: on the shard that holds the envoy's connection. `service`: in the service pool. */
export type Placement = 'fleet' | 'service';

/** When a reply may leave: at once, when readers see the turn's writes, or when they survive power loss. */
export type ReplyAfter = 'turn' | 'committed' | 'durable';

/** More than `maxRestarts` failures within `withinMs` and the actor (or thread) is parked and reported. */
export interface RestartIntensity {
  readonly maxRestarts: number;
  readonly withinMs: number;
}

/**
 * What an actor is: its state, its limits and a handler per message. Handlers run one at a time
 * per key. A handler that throws loses everything that its turn staged; the actor is then activated
 * again from its last committed state.
 */
export interface ActorKind<State, M extends MessageMap> {
  readonly name: string;
  readonly placement: Placement;
  /** Messages that may wait; one more is refused with RUNTIME_MAILBOX_FULL. */
  readonly mailboxLimit: number;
  /** The state leaves memory after one to two of these without work; 0 = when the mailbox is empty. */
  readonly idleAfterMs: number;
  readonly restart: RestartIntensity;
  /**
   * Rows that belong to one actor of this kind: those whose key is the actor's key, or starts with
   * it and a slash. They follow a fleet actor to the shard that claims it.
   */
  readonly tables?: readonly Table<unknown>[];
  activate(context: ActivationContext): State | Promise<State>;
  readonly handlers: {
    readonly [T in keyof M]: (
      turn: Turn<State>,
      payload: M[T]['payload'],
    ) => M[T]['reply'] | Promise<M[T]['reply']>;
  };
}

export interface ActivationContext {
  readonly key: string;
  readonly ports: Ports;
  readonly store: StoreReader;
}

/** One message being handled. Everything staged here commits together, after the handler returns. */
export interface Turn<State> {
  readonly key: string;
  state: State;
  readonly ports: Ports;
  readonly store: StoreReader;
  /** W3C trace context of the message, or undefined. */
  readonly traceparent: string | undefined;
  /** From now on this turn, and what it asks, tells and mails, belongs to this span. */
  continueTrace(traceparent: string): void;
  put<V>(table: Table<V>, key: string, value: V): void;
  remove<V>(table: Table<V>, key: string): void;
  /**
   * Like put, but coalesced with later ones and committed within `softFlushMs`; lost in a crash. What
   * the value is when it leaves is stored: it may be one object that every turn changes.
   */
  putSoon<V>(table: Table<V>, key: string, value: V): void;
  /** Sent after the turn has committed. At most once. */
  tell<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
  ): void;
  /** Stored with the turn and delivered at least once, also across crashes of either side. */
  mail<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
  ): void;
  /** Asks another actor inside the turn; this actor handles nothing else meanwhile. */
  ask<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
    deadlineMs: number,
  ): Promise<M[T]['reply']>;
  /** Appends an event to this thread's outbox, in the same commit. */
  emit(event: OutboxEvent): void;
  /** A timer that survives restarts: at `atMs` (wall clock) the actor receives `type`. Same name replaces. */
  setTimer(name: string, atMs: number, type: string, payload: unknown): void;
  clearTimer(name: string): void;
  /** Default: 'committed' when the turn staged a write, 'turn' otherwise. */
  replyAfter(when: ReplyAfter): void;
  /**
   * Ends the turn: what is staged commits, and the asker gets this error. A thrown coded error also
   * reaches the asker, but keeps nothing. Neither counts as a failure of the actor.
   */
  refuse(error: CodedError): never;
}

/** An error of one of the house's registries. */
export interface CodedError extends Error {
  readonly code: string;
  readonly remedy: string;
}

/** A fact on its way to the durable sink. `body` is msgpack-encodable. */
export interface OutboxEvent {
  readonly type: string;
  readonly atMs: number;
  readonly body: unknown;
}

/** The door to the actors on one thread. */
export interface ActorSystem {
  readonly ports: Ports;
  tell<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
    options?: { traceparent?: string },
  ): void;
  /** Rejects with a RuntimeError: RUNTIME_DEADLINE, RUNTIME_MAILBOX_FULL, RUNTIME_ACTOR_PARKED, ... */
  ask<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
    options: { deadlineMs: number; traceparent?: string },
  ): Promise<M[T]['reply']>;
  /** Takes the actor to this thread (a fleet actor follows its connection). Resolves when it may be used here. */
  claim(address: Address): Promise<void>;
  release(address: Address): void;
}
