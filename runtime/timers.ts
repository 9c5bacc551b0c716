import { msgpackCodec } from './codecs.ts';
import type { Clock } from './ports/clock.ts';
import type { Operation, StoreReader, Table } from './store.ts';
import type { StagedTimer } from './turn.ts';
import type { Wheel, WheelTimer } from './wheel.ts';

/** Durable timers of one thread. */
export const timerLimit = 2_000_000;
/** Rows that one step of loading reads. */
const loadStep = 1_000;
/** Wait before a timer that was refused is tried again. */
const retryMs = 1_000;

export interface TimerRow {
  readonly atMs: number;
  readonly type: string;
  readonly payload: unknown;
}

export const timersTable: Table<TimerRow> = {
  name: 'timers',
  codec: msgpackCodec(),
  rowLimit: timerLimit,
};

/** Parts of keys of the engine's tables are joined by a character that ends every prefix. */
const separator = '\u0000';

export function joinKey(first: string, ...rest: string[]): string {
  let key = first;
  for (const part of rest) key += separator + part;
  return key;
}

export function splitKey(key: string): string[] {
  return key.split(separator);
}

/** The range of keys that start with these parts and have at least one more. */
export function keysUnder(...parts: string[]): { from: string; to: string } {
  const prefix = parts.join(separator);
  return { from: `${prefix}${separator}`, to: `${prefix}\u0001` };
}

/** Delivers a due timer; resolves true when it was handled, false when it must come again. */
export type FireTimer = (kind: string, key: string, row: TimerRow) => Promise<boolean>;

/**
 * Timers that survive restarts: rows in the thread's store, and in memory a place in the wheel for
 * each of an actor that may run here. A fired timer's row goes once its message was handled, so it
 * comes at least once.
 */
export class DurableTimers {
  readonly #reader: StoreReader;
  readonly #clock: Clock;
  readonly #wheel: Wheel;
  readonly #fire: FireTimer;
  readonly #remove: (operations: Operation[]) => void;
  readonly #armed = new Map<string, WheelTimer>();
  /** Rows whose message is under way; a turn that sets or clears the timer takes its row out. */
  readonly #firing = new Map<string, TimerRow>();

  constructor(parts: {
    reader: StoreReader;
    clock: Clock;
    wheel: Wheel;
    fire: FireTimer;
    remove: (operations: Operation[]) => void;
  }) {
    this.#reader = parts.reader;
    this.#clock = parts.clock;
    this.#wheel = parts.wheel;
    this.#fire = parts.fire;
    this.#remove = parts.remove;
  }

  /** Arms every stored timer of these kinds. */
  loadKinds(kinds: Iterable<string>): void {
    for (const kind of kinds) this.#load(keysUnder(kind));
  }

  /** Arms the stored timers of one actor, which may run here from now on. */
  loadActor(kind: string, key: string): void {
    this.#load(keysUnder(kind, key));
  }

  /** The actor runs elsewhere or nowhere from now on; its rows stay. */
  disarmActor(kind: string, key: string): void {
    for (const [row] of this.#reader.range(timersTable, {
      ...keysUnder(kind, key),
      limit: timerLimit,
    })) {
      this.#disarm(row);
    }
  }

  operations(kind: string, key: string, timers: readonly StagedTimer[]): Operation[] {
    return timers.map((timer): Operation => {
      const table = timersTable as Table<unknown>;
      const row = joinKey(kind, key, timer.name);
      this.#firing.delete(row);
      if (timer.atMs === undefined) return { op: 'remove', table, key: row };
      const { atMs, type, payload } = timer;
      return { op: 'put', table, key: row, value: { atMs, type, payload } };
    });
  }

  committed(kind: string, key: string, timers: readonly StagedTimer[]): void {
    for (const { name, atMs } of timers) {
      const row = joinKey(kind, key, name);
      if (atMs === undefined) this.#disarm(row);
      else this.#arm(row, atMs);
    }
  }

  #load(range: { from: string; to: string }): void {
    let from: string | undefined = range.from;
    while (from !== undefined) {
      let last: string | undefined;
      let rows = 0;
      for (const [row, timer] of this.#reader.range(timersTable, {
        from,
        to: range.to,
        limit: loadStep,
      })) {
        this.#arm(row, timer.atMs);
        last = row;
        rows += 1;
      }
      from = last === undefined || rows < loadStep ? undefined : `${last}\u0000`;
    }
  }

  #arm(row: string, atMs: number): void {
    this.#disarm(row);
    const delay = Math.max(0, atMs - this.#clock.nowMs());
    const timer = this.#wheel.add(delay, () => this.#due(row));
    if (timer) this.#armed.set(row, timer);
  }

  #disarm(row: string): void {
    const timer = this.#armed.get(row);
    if (timer === undefined) return;
    this.#wheel.cancel(timer);
    this.#armed.delete(row);
  }

  #due(row: string): void {
    this.#armed.delete(row);
    const timer = this.#reader.get(timersTable, row);
    if (timer === undefined) return;
    // The wall clock may have been set back since.
    if (timer.atMs > this.#clock.nowMs()) {
      this.#arm(row, timer.atMs);
      return;
    }
    const [kind = '', key = ''] = splitKey(row);
    this.#firing.set(row, timer);
    this.#fire(kind, key, timer).then((handled) => {
      // A timer that the next turn has set already may not be in the store yet.
      const untouched = this.#firing.get(row) === timer;
      if (untouched) this.#firing.delete(row);
      const now = this.#reader.get(timersTable, row);
      const replaced = this.#armed.has(row) || now === undefined || now.atMs !== timer.atMs;
      if (replaced) return;
      if (handled) {
        if (untouched)
          this.#remove([{ op: 'remove', table: timersTable as Table<unknown>, key: row }]);
        return;
      }
      const again = this.#wheel.add(retryMs, () => this.#due(row));
      if (again) this.#armed.set(row, again);
    });
  }
}
