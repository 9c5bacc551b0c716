import type { ActorKind, Address, OutboxEvent } from '../../runtime/actor.ts';

/** Writes into its shard's outbox what code outside of actors found out. Key: the thread's name. */
export type OutboxWriterMessages = {
  write: { payload: { events: readonly OutboxEvent[] }; reply: undefined };
};

export function outboxWriterAddress(thread: string): Address<OutboxWriterMessages> {
  return { kind: 'outbox-writer', key: thread };
}

export const outboxWriterKind: ActorKind<undefined, OutboxWriterMessages> = {
  name: 'outbox-writer',
  placement: 'fleet',
  mailboxLimit: 256,
  idleAfterMs: 0,
  restart: { maxRestarts: 5, withinMs: 60_000 },
  activate: () => undefined,
  handlers: {
    write(turn, { events }) {
      for (const event of events) turn.emit(event);
      return undefined;
    },
  },
};
