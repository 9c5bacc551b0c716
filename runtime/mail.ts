import { msgpackCodec } from './codecs.ts';
import type { Envelope } from './envelope.ts';
import type { Random } from './ports/random.ts';
import type { Operation, StoreReader, Table } from './store.ts';
import { joinKey } from './timers.ts';
import type { StagedTell } from './turn.ts';
import type { Wheel, WheelTimer } from './wheel.ts';

/** Mails of one thread that wait for delivery. */
export const mailLimit = 200_000;
/** Mails that were given up, kept for people to look at. */
export const deadMailLimit = 10_000;
/** Failed attempts of the receiver before a mail is given up. Unreachable receivers do not count. */
export const mailAttemptLimit = 20;
const firstRetryMs = 100;
const lastRetryMs = 60_000;
const sequenceDigits = 16;
const loadStep = 1_000;

export interface MailRow {
  readonly kind: string;
  readonly key: string;
  readonly type: string;
  readonly payload: unknown;
  readonly traceparent: string | undefined;
}

export const mailTable: Table<MailRow> = {
  name: 'mail',
  codec: msgpackCodec(),
  rowLimit: mailLimit,
};

export const deadMailTable: Table<MailRow> = {
  name: 'mail-dead',
  codec: msgpackCodec(),
  rowLimit: deadMailLimit,
};

/** `delivered`: handled, and that survives power loss. `failed` counts as an attempt, `later` does not. */
export type MailOutcome = 'delivered' | 'failed' | 'later';

export interface MailParts {
  readonly reader: StoreReader;
  readonly wheel: Wheel;
  readonly random: Random;
  readonly deliver: (row: MailRow) => Promise<MailOutcome>;
  readonly commit: (operations: Operation[]) => void;
  readonly gaveUp: (row: MailRow) => void;
}

interface Destination {
  readonly rows: string[];
  flying: boolean;
  attempts: number;
  failures: number;
  retry: WheelTimer | undefined;
}

/** Mails of this thread's actors: a row each until the receiver has handled it, in order per receiver. */
export class MailRoom {
  readonly #parts: MailParts;
  readonly #destinations = new Map<string, Destination>();
  #next = 1;

  constructor(parts: MailParts) {
    this.#parts = parts;
  }

  /** Takes up what the last process left. */
  load(): void {
    let from: string | undefined = '';
    while (from !== undefined) {
      let last: string | undefined;
      for (const [id, row] of this.#parts.reader.range(mailTable, { from, limit: loadStep })) {
        last = id;
        this.#enqueue(id, row);
      }
      if (last !== undefined) this.#next = Number(last) + 1;
      from = last === undefined ? undefined : `${last}\u0000`;
    }
  }

  /** Rows for the mails of a turn, and what to call when they are committed. */
  stage(
    envelope: Envelope,
    mails: readonly StagedTell[],
  ): { operations: Operation[]; after: () => void } {
    const rows = mails.map(({ to, type, payload }) => {
      const id = String(this.#next).padStart(sequenceDigits, '0');
      this.#next += 1;
      const { traceparent } = envelope;
      const row: MailRow = { kind: to.kind, key: to.key, type, payload, traceparent };
      return { id, row };
    });
    return {
      operations: rows.map(({ id, row }) => put(mailTable, id, row)),
      after: () => {
        for (const { id, row } of rows) this.#enqueue(id, row);
      },
    };
  }

  /** The receiver became reachable: do not wait for the next retry. */
  nudge(kind: string, key: string): void {
    const name = joinKey(kind, key);
    const destination = this.#destinations.get(name);
    if (destination?.retry === undefined) return;
    this.#parts.wheel.cancel(destination.retry);
    destination.retry = undefined;
    this.#deliver(name, destination);
  }

  #enqueue(id: string, row: MailRow): void {
    const name = joinKey(row.kind, row.key);
    let destination = this.#destinations.get(name);
    if (!destination) {
      destination = { rows: [], flying: false, attempts: 0, failures: 0, retry: undefined };
      this.#destinations.set(name, destination);
    }
    destination.rows.push(id);
    if (destination.retry === undefined) this.#deliver(name, destination);
  }

  #deliver(name: string, destination: Destination): void {
    if (destination.flying) return;
    const id = destination.rows[0];
    if (id === undefined) {
      this.#destinations.delete(name);
      return;
    }
    const row = this.#parts.reader.get(mailTable, id);
    if (row === undefined) {
      destination.rows.shift();
      this.#deliver(name, destination);
      return;
    }
    destination.flying = true;
    this.#parts.deliver(row).then((outcome) => {
      destination.flying = false;
      this.#settle(name, destination, id, row, outcome);
    });
  }

  #settle(
    name: string,
    destination: Destination,
    id: string,
    row: MailRow,
    outcome: MailOutcome,
  ): void {
    if (outcome === 'failed') destination.failures += 1;
    const giveUp = destination.failures >= mailAttemptLimit;
    if (outcome !== 'delivered' && !giveUp) {
      const backoff = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(16, destination.attempts));
      destination.attempts += 1;
      const delay = backoff * (0.5 + this.#parts.random.fraction() / 2);
      destination.retry = this.#parts.wheel.add(delay, () => {
        destination.retry = undefined;
        this.#deliver(name, destination);
      });
      return;
    }
    const remove: Operation = { op: 'remove', table: mailTable as Table<unknown>, key: id };
    this.#parts.commit(giveUp ? [remove, put(deadMailTable, id, row)] : [remove]);
    if (giveUp) this.#parts.gaveUp(row);
    destination.rows.shift();
    destination.attempts = 0;
    destination.failures = 0;
    this.#deliver(name, destination);
  }
}

function put(table: Table<MailRow>, key: string, value: MailRow): Operation {
  return { op: 'put', table: table as Table<unknown>, key, value };
}
