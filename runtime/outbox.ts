import type { OutboxEvent } from './actor.ts';
import { msgpackCodec } from './codecs.ts';
import { RuntimeError } from './errors.ts';
import type { Commit, Operation, Store, StoreReader, Table } from './store.ts';

/** Events that may wait for the sink; then RUNTIME_OUTBOX_FULL. */
export const outboxEntryLimit = 200_000;
/** Beyond the entry limit, for events that were staged before the limit showed. */
const outboxSlack = 50_000;
/** Events that one read returns. */
export const outboxReadLimit = 10_000;
/** Rows that one trim removes. */
const trimLimit = 10_000;
/** Sequences promised to one opening of the store; see `Outbox.open`. */
const reservedSequences = 2 ** 24;
/** 2^53 - 1 has 16 digits: with leading zeros the byte order is the numeric order. */
const sequenceDigits = 16;

/** `[type, atMs, body]`: an array is a third smaller than an object with these names. */
type StoredEvent = readonly [type: string, atMs: number, body: unknown];

const outboxTable: Table<StoredEvent> = {
  name: 'outbox',
  codec: msgpackCodec<StoredEvent>(),
  rowLimit: outboxEntryLimit + outboxSlack,
};
const outboxStateTable: Table<number> = {
  name: 'outbox-state',
  codec: msgpackCodec<number>(),
  rowLimit: 1,
};
const reservedKey = 'reserved';

/** An event with its identity: (storeId, sequence) is never used twice. */
export interface OutboxEntry {
  readonly storeId: number;
  readonly sequence: number;
  readonly event: OutboxEvent;
}

function keyOf(sequence: number): string {
  return String(sequence).padStart(sequenceDigits, '0');
}

export interface OutboxOptions {
  /** Default: outboxEntryLimit. */
  readonly entryLimit?: number;
  /** Default: 2^24. Smaller in tests. */
  readonly reservedSequences?: number;
}

/** The owner's side: events are staged with a turn's writes and removed when the sink has them. */
export class Outbox {
  readonly #store: Store;
  readonly #entryLimit: number;
  readonly #reserve: number;
  #reservedThrough: number;
  #reserving: Promise<void> | undefined;
  #lastSequence: number;
  /**
   * No fewer events than wait, but for those that were on their way when the store was asked last: to ask it
   * costs 6 us, which a shard would pay per report.
   */
  #entriesAtMost: number;

  private constructor(store: Store, options: OutboxOptions) {
    this.#store = store;
    this.#entryLimit = options.entryLimit ?? outboxEntryLimit;
    this.#reserve = options.reservedSequences ?? reservedSequences;
    this.#lastSequence = store.get(outboxStateTable, reservedKey) ?? 0;
    this.#reservedThrough = this.#lastSequence;
    this.#entriesAtMost = this.entries;
  }

  /**
   * Takes a range of sequences and waits until that is durable. A reader may see an event that a
   * crash then takes back; because the next opening starts above everything that was reserved,
   * another event never gets its sequence. Sequences therefore rise but have gaps.
   */
  static async open(store: Store, options: OutboxOptions = {}): Promise<Outbox> {
    const outbox = new Outbox(store, options);
    await outbox.#reserveMore();
    return outbox;
  }

  /** The last sequence given out. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Events that wait for the sink, as far as they are committed. */
  get entries(): number {
    return this.#store.count(outboxTable);
  }

  /** True when fewer events than that wait for the sink. */
  hasFewerThan(entries: number): boolean {
    if (this.#entriesAtMost >= entries) this.#entriesAtMost = this.entries;
    return this.#entriesAtMost < entries;
  }

  /**
   * Operations that append the events, to be part of the turn's transaction.
   * Throws RUNTIME_OUTBOX_FULL when the sink is behind; nothing is staged then.
   */
  outboxOperations(events: readonly OutboxEvent[]): Operation[] {
    if (events.length === 0) return [];
    const hasRoom = this.hasFewerThan(this.#entryLimit - events.length + 1);
    if (!hasRoom || this.#lastSequence + events.length > this.#reservedThrough) {
      throw new RuntimeError('RUNTIME_OUTBOX_FULL', { limit: this.#entryLimit });
    }
    this.#entriesAtMost += events.length;
    const operations = events.map(({ type, atMs, body }): Operation => {
      this.#lastSequence += 1;
      const key = keyOf(this.#lastSequence);
      return { op: 'put', table: outboxTable, key, value: [type, atMs, body] };
    });
    if (this.#reservedThrough - this.#lastSequence < this.#reserve / 2) {
      this.#reserveMore().catch(() => undefined);
    }
    return operations;
  }

  /** Removes events up to and including the sequence, once the sink has them durably. */
  async trim(throughSequence: number): Promise<number> {
    let removed = 0;
    for (;;) {
      const rows = [
        ...this.#store.range(outboxTable, { to: keyOf(throughSequence + 1), limit: trimLimit }),
      ];
      if (rows.length === 0) return removed;
      await this.#remove(rows.map(([key]) => key)).committed;
      removed += rows.length;
      if (rows.length < trimLimit) return removed;
    }
  }

  #remove(keys: readonly string[]): Commit {
    return this.#store.transact(
      keys.map((key): Operation => ({ op: 'remove', table: outboxTable, key })),
    );
  }

  #reserveMore(): Promise<void> {
    this.#reserving ??= this.#reserveDurably().finally(() => {
      this.#reserving = undefined;
    });
    return this.#reserving;
  }

  async #reserveDurably(): Promise<void> {
    const through = this.#lastSequence + this.#reserve;
    const put: Operation = {
      op: 'put',
      table: outboxStateTable,
      key: reservedKey,
      value: through,
    };
    await this.#store.transact([put]).durable;
    this.#reservedThrough = through;
  }
}

/** The other side, on any thread: reads a store's events in order. */
export class OutboxReader {
  readonly #reader: StoreReader & { readonly storeId: number };

  constructor(reader: StoreReader & { readonly storeId: number }) {
    this.#reader = reader;
  }

  /**
   * Events with a higher sequence, oldest first. They are committed, perhaps not durable yet: who
   * passes one on and then loses the race with a crash has told of a turn that is undone and that
   * its sender will repeat, under another sequence.
   */
  read(afterSequence: number, limit: number): OutboxEntry[] {
    const rows = this.#reader.range(outboxTable, {
      from: keyOf(afterSequence + 1),
      limit: Math.min(limit, outboxReadLimit),
    });
    const { storeId } = this.#reader;
    return Array.from(rows, ([key, [type, atMs, body]]) => ({
      storeId,
      sequence: Number(key),
      event: { type, atMs, body },
    }));
  }

  /** Events that wait. */
  count(): number {
    return this.#reader.count(outboxTable);
  }
}
