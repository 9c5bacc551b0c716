import { RuntimeError } from '../errors.ts';
import type { Clock, TimerHandle } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { RowCounts } from '../row-counts.ts';
import type { Commit, Operation, RangeOptions, Store, Table } from '../store.ts';
import { PendingCommit, rejectedCommit } from '../store-commit.ts';
import {
  checkKey,
  decodeRow,
  rowKey,
  type StagedOperation,
  stageOperations,
} from '../store-rows.ts';
import type { SimulatedStoreDisk, Undo } from './simulated-store-disk.ts';

/** Operations that may wait to be committed, like the real store's limit. */
const waitingOperationLimit = 200_000;
const directory = '(simulated)';

/** What goes wrong, and when; a simulation may change it at any moment. */
export interface SimulatedStoreFaults {
  /** The next store that opens finds damage and starts empty with a new identity. */
  corruptAtOpen: boolean;
  /** The Nth transaction from now on is refused with the code, 1 = the next; 0 = none. */
  refuseNth: number;
  refuseWith:
    | 'RUNTIME_STORE_DISK_FULL'
    | 'RUNTIME_STORE_MAP_FULL'
    | 'RUNTIME_STORE_TABLE_FULL'
    | 'RUNTIME_STORE_FAILED';
  /** Every read is refused with RUNTIME_STORE_READERS_FULL. */
  readersFull: boolean;
  /** Puts above this many bytes of rows are refused with RUNTIME_STORE_MAP_FULL. */
  mapLimitBytes: number;
  /** The Nth flush from now on fails, and the store with it; 0 = none. */
  failNthFlush: number;
}

export function noStoreFaults(): SimulatedStoreFaults {
  return {
    corruptAtOpen: false,
    refuseNth: 0,
    refuseWith: 'RUNTIME_STORE_DISK_FULL',
    readersFull: false,
    mapLimitBytes: Number.MAX_SAFE_INTEGER,
    failNthFlush: 0,
  };
}

export interface SimulatedStoreOptions {
  readonly disk: SimulatedStoreDisk;
  readonly ports: { readonly clock: Clock; readonly random: Random };
  readonly faults?: SimulatedStoreFaults;
  /** Virtual time from the call to visible, and from visible to durable. Defaults: 0 and 2 ms. */
  readonly commitMs?: number;
  readonly flushMs?: number;
}

export interface OpenedSimulatedStore {
  readonly store: SimulatedStore;
  readonly created: boolean;
  readonly recovery: { readonly reason: 'corrupted'; readonly detail: string } | undefined;
}

/** Opens the store that the disk holds, as a starting thread would. */
export function openSimulatedStore(options: SimulatedStoreOptions): OpenedSimulatedStore {
  const { disk, ports } = options;
  const faults = options.faults ?? noStoreFaults();
  const damaged = faults.corruptAtOpen && disk.storeId !== 0;
  faults.corruptAtOpen = false;
  if (damaged) disk.clear();
  const created = disk.storeId === 0;
  if (created) disk.storeId = Math.floor(ports.random.fraction() * 2 ** 52) + 1;
  return {
    store: new SimulatedStore(options, faults),
    created,
    recovery: damaged ? { reason: 'corrupted', detail: 'simulated damage' } : undefined,
  };
}

/**
 * A store in memory that keeps `committed` and `durable` apart: `crash()` takes back everything
 * that was not flushed. Reads show what is committed, like the real store.
 */
export class SimulatedStore implements Store {
  readonly storeId: number;
  readonly #disk: SimulatedStoreDisk;
  readonly #clock: Clock;
  readonly #faults: SimulatedStoreFaults;
  readonly #commitMs: number;
  readonly #flushMs: number;
  readonly #counts: RowCounts;
  readonly #timers = new Set<TimerHandle>();
  readonly #unfinished = new Set<readonly PendingCommit[]>();
  #waiting: PendingCommit[] = [];
  #waitingOperations = 0;
  #inFlight = 0;
  #lastSequence = 0;
  #scheduled = false;
  #state: 'open' | 'closed' | 'crashed' = 'open';
  #failure: RuntimeError | undefined;
  #onIdle: (() => void) | undefined;
  #onFailure: ((failure: RuntimeError) => void) | undefined;

  constructor(options: SimulatedStoreOptions, faults: SimulatedStoreFaults) {
    this.#disk = options.disk;
    this.storeId = options.disk.storeId;
    this.#clock = options.ports.clock;
    this.#faults = faults;
    this.#commitMs = options.commitMs ?? 0;
    this.#flushMs = options.flushMs ?? 2;
    this.#counts = new RowCounts(options.disk);
  }

  get failure(): RuntimeError | undefined {
    return this.#failure;
  }

  onFailure(run: (failure: RuntimeError) => void): void {
    this.#onFailure = run;
    if (this.#failure !== undefined) run(this.#failure);
  }

  get<V>(table: Table<V>, key: string): V | undefined {
    this.#checkReadable();
    checkKey(table, key);
    const row = this.#disk.row(rowKey(table, key));
    return row === undefined ? undefined : decodeRow(table, key, row);
  }

  range<V>(table: Table<V>, options: RangeOptions): Iterable<readonly [key: string, value: V]> {
    this.#checkReadable();
    return this.#disk
      .range(table, options)
      .map(([key, row]) => [key, decodeRow(table, key, row)] as const);
  }

  count<V>(table: Table<V>): number {
    this.#checkReadable();
    return this.#disk.count(table);
  }

  transact(operations: readonly Operation[]): Commit {
    let staged: StagedOperation[];
    try {
      this.#checkOpen();
      if (this.#waitingOperations + operations.length > waitingOperationLimit) {
        throw new RuntimeError('RUNTIME_STORE_BUSY', { limit: waitingOperationLimit });
      }
      staged = stageOperations(operations);
    } catch (error) {
      return rejectedCommit(error);
    }
    this.#lastSequence += 1;
    const commit = new PendingCommit(this.#lastSequence, staged);
    this.#waiting.push(commit);
    this.#waitingOperations += staged.length + 1;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#after(this.#commitMs, () => this.#commitWaiting());
    }
    return commit;
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    if (this.#failure !== undefined || this.#isIdle()) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** The process dies or the power goes: only what is durable stays on the disk; promises stay open. */
  crash(): void {
    this.#state = 'crashed';
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#waiting = [];
    this.#disk.loseUnflushed();
  }

  #after(delayMs: number, run: () => void): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight === 0;
  }

  #checkReadable(): void {
    this.#checkOpen();
    if (this.#faults.readersFull)
      throw new RuntimeError('RUNTIME_STORE_READERS_FULL', { directory });
  }

  #checkOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state !== 'open') throw new RuntimeError('RUNTIME_STORE_CLOSED', { directory });
  }

  #commitWaiting(): void {
    this.#scheduled = false;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingOperations = 0;
    const committed: PendingCommit[] = [];
    const undo: Undo[] = [];
    for (const commit of batch) {
      if (this.#failure !== undefined) break;
      try {
        this.#admit(commit);
      } catch (error) {
        commit.reject(error);
        continue;
      }
      for (const { key, row } of commit.operations) undo.push(this.#disk.write(key, row));
      committed.push(commit);
    }
    if (this.#failure !== undefined) {
      for (const commit of batch) commit.reject(this.#failure);
    }
    for (const commit of committed) commit.resolveCommitted();
    this.#flushLater(committed, undo);
  }

  #flushLater(commits: readonly PendingCommit[], undo: readonly Undo[]): void {
    this.#disk.unflushed.push(undo);
    this.#inFlight += 1;
    this.#unfinished.add(commits);
    this.#after(this.#flushMs, () => {
      this.#inFlight -= 1;
      if (this.#failure !== undefined) return;
      if (this.#counted('failNthFlush')) {
        this.#fail('flush: simulated');
        return;
      }
      this.#disk.unflushed.shift();
      for (const commit of commits) commit.resolveDurable();
      this.#unfinished.delete(commits);
      if (this.#isIdle()) this.#onIdle?.();
    });
  }

  #admit(commit: PendingCommit): void {
    const faults = this.#faults;
    if (this.#counted('refuseNth')) {
      if (faults.refuseWith === 'RUNTIME_STORE_FAILED') this.#fail('commit: simulated');
      throw new RuntimeError(faults.refuseWith, { directory, table: '(any)', limit: 0 });
    }
    const growth = commit.operations.reduce((sum, { row }) => sum + (row?.byteLength ?? 0), 0);
    if (growth > 0 && this.#disk.bytes + growth > faults.mapLimitBytes) {
      const limit = faults.mapLimitBytes;
      throw new RuntimeError('RUNTIME_STORE_MAP_FULL', { directory, limit });
    }
    this.#counts.begin();
    this.#counts.add(commit.operations);
  }

  #counted(fault: 'refuseNth' | 'failNthFlush'): boolean {
    if (this.#faults[fault] === 0) return false;
    this.#faults[fault] -= 1;
    return this.#faults[fault] === 0;
  }

  #fail(reason: string): void {
    const failure = new RuntimeError('RUNTIME_STORE_FAILED', { directory, reason });
    this.#failure = failure;
    for (const commits of this.#unfinished) for (const commit of commits) commit.reject(failure);
    for (const commit of this.#waiting) commit.reject(failure);
    this.#waiting = [];
    this.#disk.loseUnflushed();
    this.#onIdle?.();
    this.#onFailure?.(failure);
  }
}
