import type { ActorKind, Address } from '../../runtime/actor.ts';
import { msgpackCodec } from '../../runtime/codecs.ts';
import type { Table } from '../../runtime/store.ts';

/** The smallest actors that the measurements need. */
export interface SeenRow {
  readonly lastSeenMs: number;
  readonly sequence: number;
  readonly state: number;
}

export const seenTable: Table<SeenRow> = {
  name: 'seen',
  codec: msgpackCodec(),
  rowLimit: 1_000_000,
};

export type EchoMessages = {
  echo: { payload: number; reply: number };
  count: { payload: number; reply: undefined };
  counted: { payload: undefined; reply: number };
};

export type SeenMessages = { checkIn: { payload: number; reply: number } };

function echoKind(name: string): ActorKind<{ count: number }, EchoMessages> {
  return {
    name,
    placement: 'service',
    mailboxLimit: 2_000_000,
    idleAfterMs: 3_600_000,
    restart: { maxRestarts: 3, withinMs: 1_000 },
    activate: () => ({ count: 0 }),
    handlers: {
      echo: (_turn, value) => value,
      count(turn) {
        turn.state.count += 1;
        return undefined;
      },
      counted: (turn) => turn.state.count,
    },
  };
}

/** Two kinds, so that each can be assigned to a thread of its own. */
export const echoKinds = [echoKind('echo-a'), echoKind('echo-b')];

/** The check-in path: state is one row, in memory for one turn. */
export const seenKind: ActorKind<SeenRow, SeenMessages> = {
  name: 'seen',
  placement: 'service',
  mailboxLimit: 100,
  idleAfterMs: 0,
  restart: { maxRestarts: 3, withinMs: 1_000 },
  activate: ({ store, key }) =>
    store.get(seenTable, key) ?? { lastSeenMs: 0, sequence: 0, state: 0 },
  handlers: {
    checkIn(turn, sequence) {
      turn.state = { ...turn.state, sequence };
      return turn.state.sequence;
    },
  },
};

/** The same with the soft write of `last seen`. */
export const seenSoftKind: ActorKind<SeenRow, SeenMessages> = {
  ...seenKind,
  name: 'seen-soft',
  handlers: {
    checkIn(turn, sequence) {
      turn.state = { ...turn.state, sequence, lastSeenMs: turn.ports.clock.nowMs() };
      turn.putSoon(seenTable, turn.key, turn.state);
      return turn.state.sequence;
    },
  },
};

/** The same with a write that the answer waits for. */
export const seenHardKind: ActorKind<SeenRow, SeenMessages> = {
  ...seenKind,
  name: 'seen-hard',
  handlers: {
    checkIn(turn, sequence) {
      turn.state = { ...turn.state, sequence };
      turn.put(seenTable, turn.key, turn.state);
      return turn.state.sequence;
    },
  },
};

export function echo(name: 'echo-a' | 'echo-b'): Address<EchoMessages> {
  return { kind: name, key: 'one' };
}

export function seen(kind: 'seen' | 'seen-soft' | 'seen-hard', key: string): Address<SeenMessages> {
  return { kind, key };
}
