import type { Address } from './actor.ts';
import { msgpackCodec } from './codecs.ts';
import { RuntimeError } from './errors.ts';
import type { AnyKind } from './host.ts';
import type { Operation, StoreReader, Table } from './store.ts';
import { joinKey, keysUnder, timerLimit, timersTable } from './timers.ts';

/** Fleet actors whose rows one shard holds. */
export const claimLimit = 1_000_000;
/** How long the thread that holds an actor may take to finish its turn and let go. */
export const releaseDeadlineMs = 5_000;
/** Rows of one actor that move with it. */
const movedRowLimit = 10_000;

/** Stands in the store of the shard that holds the rows of a fleet actor. The highest claim wins. */
export interface ClaimRow {
  readonly claim: number;
}

export const claimsTable: Table<ClaimRow> = {
  name: 'claims',
  codec: msgpackCodec(),
  rowLimit: claimLimit,
};

export interface Claim {
  readonly thread: string;
  readonly claim: number;
}

/** What claiming needs from the thread. */
export interface ClaimingThread {
  readonly name: string;
  readonly fleet: readonly string[];
  readonly reader: StoreReader | undefined;
  readerOf(thread: string): StoreReader | undefined;
  kind(name: string): AnyKind | undefined;
  isLinked(thread: string): boolean;
  request(thread: string, name: string, body: unknown, deadlineMs: number): Promise<unknown>;
  commit(operations: readonly Operation[]): Promise<{ durable: Promise<void> }>;
  /** Ends the actor's turn and its soft writes here; `by` = the shard that takes it over. */
  letGo(kind: string, key: string, by?: string): Promise<void>;
  mayRun(kind: string, key: string): void;
}

interface ReleaseRequest {
  readonly kind: string;
  readonly key: string;
  readonly by: string;
  readonly claim: number;
}

/** Which shard runs which fleet actor. */
export class Directory {
  readonly #thread: ClaimingThread;
  readonly #lock: (name: string) => Promise<() => void>;
  readonly #lost: (address: Address, thread: string) => void;
  /** Fleet actors that run here now, by kind: a message finds them without making a joined name. */
  readonly #held = new Map<string, Set<string>>();
  readonly #claiming = new Map<string, Promise<void>>();
  /** Releases under way: a new claim waits for the last turn of the old one. */
  readonly #releasing = new Map<string, Promise<void>>();

  constructor(
    thread: ClaimingThread,
    lock: (name: string) => Promise<() => void>,
    lost: (address: Address, thread: string) => void,
  ) {
    this.#thread = thread;
    this.#lock = lock;
    this.#lost = lost;
  }

  holds(kind: string, key: string): boolean {
    return this.#held.get(kind)?.has(key) === true;
  }

  /** The shard that holds the actor's rows and, if it is placed, runs it. */
  find(kind: string, key: string): Claim | undefined {
    const row = joinKey(kind, key);
    let best: Claim | undefined;
    for (const name of this.#thread.fleet) {
      const found = this.#thread.readerOf(name)?.get(claimsTable, row);
      if (found && found.claim > (best?.claim ?? 0)) best = { thread: name, claim: found.claim };
    }
    return best;
  }

  async claim(address: Address): Promise<void> {
    const { kind, key } = address;
    const row = joinKey(kind, key);
    if (this.holds(kind, key)) return;
    const running = this.#claiming.get(row);
    if (running) return running;
    const attempt = this.#claim(kind, key, row).finally(() => this.#claiming.delete(row));
    this.#claiming.set(row, attempt);
    return attempt;
  }

  release(address: Address): void {
    const { kind, key } = address;
    const row = joinKey(kind, key);
    if (!this.#drop(kind, key)) return;
    const done = this.#thread.letGo(kind, key).finally(() => this.#releasing.delete(row));
    this.#releasing.set(row, done);
  }

  /** Another shard takes the actor over. */
  async released(body: unknown): Promise<void> {
    const { kind, key, by } = body as ReleaseRequest;
    if (this.#drop(kind, key)) this.#lost({ kind, key }, by);
    await this.#thread.letGo(kind, key, by);
  }

  /** The rows that were moved away are no longer needed here. */
  async moved(body: unknown): Promise<void> {
    const { kind, key, claim } = body as ReleaseRequest;
    const own = this.#thread.reader?.get(claimsTable, joinKey(kind, key));
    if (this.holds(kind, key) || !this.#thread.reader || !own || own.claim >= claim) return;
    const rows = this.#rowsOf(kind, key, this.#thread.reader);
    const operations = rows.map(([table, row]): Operation => ({ op: 'remove', table, key: row }));
    operations.push({ op: 'remove', table: asTable(claimsTable), key: joinKey(kind, key) });
    await this.#thread.commit(operations);
  }

  #hold(kind: string, key: string): void {
    const keys = this.#held.get(kind);
    if (keys) keys.add(key);
    else this.#held.set(kind, new Set([key]));
  }

  /** False when it did not run here. */
  #drop(kind: string, key: string): boolean {
    return this.#held.get(kind)?.delete(key) === true;
  }

  async #claim(kind: string, key: string, row: string): Promise<void> {
    if (!this.#thread.reader) {
      throw new RuntimeError('RUNTIME_NO_STORE', { thread: this.#thread.name });
    }
    await this.#releasing.get(row);
    const unlock = this.#thread.fleet.length > 1 ? await this.#lock(row) : () => undefined;
    try {
      const before = this.find(kind, key);
      if (before?.thread !== this.#thread.name) await this.#take(kind, key, row, before);
      this.#hold(kind, key);
      this.#thread.mayRun(kind, key);
    } finally {
      unlock();
    }
  }

  /** Copies the actor's rows and writes the higher claim, as one transaction of this store. */
  async #take(kind: string, key: string, row: string, before: Claim | undefined): Promise<void> {
    const claim = (before?.claim ?? 0) + 1;
    const request: ReleaseRequest = { kind, key, by: this.#thread.name, claim };
    if (before && this.#thread.isLinked(before.thread)) {
      // Silence is no veto: the newer connection wins, at the price of unflushed soft writes.
      await this.#thread
        .request(before.thread, 'release', request, releaseDeadlineMs)
        .catch(() => undefined);
    }
    const operations: Operation[] = [];
    const own = this.#thread.reader;
    for (const [table, old] of own ? this.#rowsOf(kind, key, own) : []) {
      operations.push({ op: 'remove', table, key: old });
    }
    const from = before ? this.#thread.readerOf(before.thread) : undefined;
    for (const [table, at, value] of from ? this.#rowsOf(kind, key, from) : []) {
      operations.push({ op: 'put', table, key: at, value });
    }
    operations.push({ op: 'put', table: asTable(claimsTable), key: row, value: { claim } });
    const { durable } = await this.#thread.commit(operations);
    if (!before) return;
    durable
      .then(
        () => this.#thread.request(before.thread, 'moved', request, releaseDeadlineMs),
        () => undefined,
      )
      .catch(() => undefined);
  }

  #rowsOf(
    kind: string,
    key: string,
    reader: StoreReader,
  ): (readonly [Table<unknown>, string, unknown])[] {
    const rows: (readonly [Table<unknown>, string, unknown])[] = [];
    for (const table of this.#thread.kind(kind)?.tables ?? []) {
      const value = reader.get(table, key);
      if (value !== undefined) rows.push([table, key, value]);
      const under = { from: `${key}/`, to: `${key}0`, limit: movedRowLimit };
      for (const [at, held] of reader.range(table, under)) rows.push([table, at, held]);
    }
    const timers = { ...keysUnder(kind, key), limit: Math.min(timerLimit, movedRowLimit) };
    for (const [at, timer] of reader.range(timersTable, timers)) {
      rows.push([asTable(timersTable), at, timer]);
    }
    return rows;
  }
}

function asTable<V>(table: Table<V>): Table<unknown> {
  return table as Table<unknown>;
}
