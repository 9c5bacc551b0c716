import { statfsSync } from 'node:fs';
import { RuntimeError, reasonOf } from './errors.ts';
import {
  type Environment,
  EnvironmentView,
  internalKeys,
  isAborted,
  isDiskFull,
} from './lmdb-environment.ts';
import type { Clock, TimerHandle } from './ports/clock.ts';
import { RowCounts } from './row-counts.ts';
import type { Commit, Operation, RangeOptions, Store, Table } from './store.ts';
import { PendingCommit, rejectedCommit } from './store-commit.ts';
import { type StagedOperation, stageOperations } from './store-rows.ts';

/** Operations that may wait to be written; more are refused with RUNTIME_STORE_BUSY. */
export const waitingOperationLimit = 200_000;
/** Operations that one lmdb transaction takes. */
const batchOperationLimit = 20_000;
/** lmdb-js tells of the flush only; how often to look whether readers see the batch already. */
const visibleCheckMs = 1;
/** A batch that is neither written nor refused after this long means a broken environment or disk. */
const answerDeadlineMs = 60_000;
/** How long after it was aborted a transaction is tried again; then the environment counts as broken. */
const retryDelaysMs = [10, 50, 200, 1000];
/**
 * Free space that puts leave on the disk. lmdb-js 3.5.6 writes its message about a failed page write
 * beyond the memory that it took for it, so a full disk must be seen before lmdb runs into it; this
 * also leaves room for removing rows, which writes pages too.
 */
const diskReserveBytes = 1024 * 1024;
/** Pages of one row beyond its bytes in the worst case: a split of its leaf and its parents. */
const bytesPerOperation = 128;

export interface LmdbStoreParts {
  readonly environment: Environment;
  readonly directory: string;
  readonly storeId: number;
  readonly clock: Clock;
  /** Bytes of used pages above which puts are refused with RUNTIME_STORE_MAP_FULL. */
  readonly mapLimitBytes: number;
  /** Runs once, after the last flush, with the environment closed; `clean` when nothing failed. */
  readonly onClosed: (clean: boolean) => Promise<void>;
}

/** One lmdb transaction on its way: written, then visible, then flushed. */
interface Flight {
  readonly mark: number;
  readonly commits: readonly PendingCommit[];
  readonly counts: ReadonlyMap<string, number>;
  visible: boolean;
  flushed: boolean;
  /** How often it was tried again. */
  retries: number;
}

export interface StoreUsage {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** A store in one LMDB environment. Created by `openLmdbStore`. */
export class LmdbStore implements Store {
  readonly storeId: number;
  readonly #parts: LmdbStoreParts;
  readonly #view: EnvironmentView;
  readonly #counts: RowCounts;
  readonly #flights: Flight[] = [];
  #waiting: PendingCommit[] = [];
  #waitingOperations = 0;
  #lastSequence = 0;
  #lastMark: number;
  #scheduled = false;
  #writing: Flight | undefined;
  #visibleTimer: TimerHandle | undefined;
  #answerTimer: TimerHandle | undefined;
  #usedBytes = Number.MAX_SAFE_INTEGER;
  #failure: RuntimeError | undefined;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  #onFailure: ((failure: RuntimeError) => void) | undefined;

  constructor(parts: LmdbStoreParts) {
    this.#parts = parts;
    this.storeId = parts.storeId;
    this.#view = new EnvironmentView(parts.environment, parts.directory);
    this.#lastMark = this.#view.number(internalKeys.sequence) ?? 0;
    this.#counts = new RowCounts(this.#view);
  }

  get directory(): string {
    return this.#parts.directory;
  }

  /** Bytes that rows take now, and may take at most. */
  get usage(): StoreUsage {
    const limitBytes = this.#parts.mapLimitBytes;
    return { usedBytes: usedBytes(this.#parts.environment), limitBytes };
  }

  /** Why the store takes nothing more, or undefined. Then its thread must be restarted. */
  get failure(): RuntimeError | undefined {
    return this.#failure;
  }

  onFailure(run: (failure: RuntimeError) => void): void {
    this.#onFailure = run;
    if (this.#failure !== undefined) run(this.#failure);
  }

  get<V>(table: Table<V>, key: string): V | undefined {
    this.#checkOpen();
    return this.#view.get(table, key);
  }

  range<V>(table: Table<V>, options: RangeOptions): Iterable<readonly [key: string, value: V]> {
    this.#checkOpen();
    return this.#view.range(table, options);
  }

  count<V>(table: Table<V>): number {
    this.#checkOpen();
    return this.#view.count(table);
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
    this.#schedule();
    return commit;
  }

  /** Writes what was accepted, waits for the flush and closes. Later calls are refused. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    if (this.#failure === undefined && !this.#isIdle()) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#visibleTimer?.cancel();
    this.#answerTimer?.cancel();
    // A failed environment may wait for ever for its last flush.
    const closed = this.#parts.environment.close();
    if (this.#failure === undefined) await closed;
    else closed.catch(() => undefined);
    await this.#parts.onClosed(this.#failure === undefined);
  }

  #checkOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) {
      throw new RuntimeError('RUNTIME_STORE_CLOSED', { directory: this.#parts.directory });
    }
  }

  #isIdle(): boolean {
    return this.#flights.length === 0 && this.#waiting.length === 0;
  }

  /** Everything of one turn of the event loop goes into one batch, and while one is written all waits. */
  #schedule(): void {
    if (this.#scheduled || this.#writing !== undefined || this.#waiting.length === 0) return;
    this.#scheduled = true;
    this.#parts.clock.soon(() => {
      this.#scheduled = false;
      this.#writeBatch();
    });
  }

  #writeBatch(): void {
    if (this.#failure !== undefined || this.#writing !== undefined) return;
    const taken = this.#takeBatch();
    this.#counts.begin();
    const freeBytes = diskFreeBytes(this.directory);
    const commits = taken.filter((commit) => this.#admit(commit, freeBytes));
    if (commits.length === 0) {
      this.#afterStep();
      return;
    }
    this.#lastMark += 1;
    const flight: Flight = {
      mark: this.#lastMark,
      commits,
      counts: this.#counts.changed(),
      visible: false,
      flushed: false,
      retries: 0,
    };
    this.#flights.push(flight);
    this.#writing = flight;
    this.#begin(flight);
    this.#watchAnswer();
  }

  #begin(flight: Flight): void {
    this.#submit(flight).then(
      () => this.#flushed(flight),
      (error: unknown) => this.#refused(flight, error),
    );
    this.#watchVisible(flight);
  }

  #takeBatch(): PendingCommit[] {
    let operations = 0;
    let taken = 0;
    for (const commit of this.#waiting) {
      operations += commit.operations.length;
      if (taken > 0 && operations > batchOperationLimit) break;
      taken += 1;
    }
    const batch = this.#waiting.slice(0, taken);
    this.#waiting = this.#waiting.slice(taken);
    for (const commit of batch) this.#waitingOperations -= commit.operations.length + 1;
    return batch;
  }

  #admit(commit: PendingCommit, freeBytes: number): boolean {
    try {
      this.#checkSpace(commit, freeBytes);
      this.#counts.add(commit.operations);
      return true;
    } catch (error) {
      commit.reject(error);
      return false;
    }
  }

  #checkSpace(commit: PendingCommit, freeBytes: number): void {
    let growth = 0;
    let puts = 0;
    for (const { key, row } of commit.operations) {
      if (row === undefined) continue;
      puts += 1;
      growth += 2 * (row.byteLength + key.length) + bytesPerOperation;
    }
    if (puts === 0) return;
    if (freeBytes < diskReserveBytes + 2 * growth) {
      throw new RuntimeError('RUNTIME_STORE_DISK_FULL', { directory: this.directory });
    }
    const limit = this.#parts.mapLimitBytes;
    if (this.#usedBytes + growth > limit) this.#usedBytes = usedBytes(this.#parts.environment);
    if (this.#usedBytes + growth > limit) {
      throw new RuntimeError('RUNTIME_STORE_MAP_FULL', { directory: this.directory, limit });
    }
    this.#usedBytes += growth;
  }

  /** One lmdb transaction: the block is handed over whole, so the write thread never sees half of it. */
  #submit(flight: Flight): Promise<unknown> {
    const environment = this.#parts.environment;
    return environment.batch(() => {
      for (const commit of flight.commits) {
        for (const { key, row } of commit.operations) {
          if (row === undefined) environment.remove(key);
          else environment.put(key, row);
        }
      }
      for (const [table, count] of flight.counts) {
        environment.put(internalKeys.count(table), Buffer.from(String(count), 'latin1'));
      }
      environment.put(internalKeys.sequence, Buffer.from(String(flight.mark), 'latin1'));
    });
  }

  #watchVisible(flight: Flight): void {
    this.#visibleTimer = this.#parts.clock.after(visibleCheckMs, () => {
      if (this.#writing !== flight || this.#failure !== undefined) return;
      if (this.#isVisible(flight)) this.#visible(flight);
      else this.#watchVisible(flight);
    });
  }

  #isVisible(flight: Flight): boolean {
    this.#view.refresh();
    return (this.#view.number(internalKeys.sequence) ?? 0) >= flight.mark;
  }

  #visible(flight: Flight): void {
    if (flight.visible) return;
    flight.visible = true;
    this.#view.refresh();
    if (this.#writing === flight) {
      this.#writing = undefined;
      this.#visibleTimer?.cancel();
    }
    for (const commit of flight.commits) commit.resolveCommitted();
    this.#afterStep();
  }

  #flushed(flight: Flight): void {
    flight.flushed = true;
    if (this.#failure !== undefined) return;
    this.#visible(flight);
    // A later flush that ends first says nothing before the earlier one has ended well.
    while (this.#flights[0]?.flushed === true) {
      for (const commit of this.#flights.shift()!.commits) commit.resolveDurable();
    }
    this.#watchAnswer();
    this.#afterStep();
  }

  #refused(flight: Flight, error: unknown): void {
    if (this.#failure !== undefined) return;
    causeOf(error).then((cause) => {
      if (this.#failure !== undefined) return;
      if (flight.visible || this.#isVisible(flight)) {
        this.#fail(`flush: ${reasonOf(cause)}`, cause);
        return;
      }
      const delayMs = isAborted(cause) ? retryDelaysMs[flight.retries] : undefined;
      if (delayMs !== undefined) {
        this.#retry(flight, delayMs);
        return;
      }
      const directory = this.directory;
      const refusal = isDiskFull(cause)
        ? new RuntimeError('RUNTIME_STORE_DISK_FULL', { directory }, { cause })
        : undefined;
      if (refusal === undefined) this.#fail(`commit: ${reasonOf(cause)}`, cause);
      else this.#drop(flight, refusal);
    });
  }

  /** The others wait behind it, as for any transaction. */
  #retry(flight: Flight, delayMs: number): void {
    flight.retries += 1;
    this.#visibleTimer?.cancel();
    this.#visibleTimer = this.#parts.clock.after(delayMs, () => {
      if (this.#failure === undefined) this.#begin(flight);
    });
  }

  #drop(flight: Flight, refusal: RuntimeError): void {
    this.#flights.splice(this.#flights.indexOf(flight), 1);
    this.#counts.forget(flight.counts);
    this.#usedBytes = Number.MAX_SAFE_INTEGER;
    if (this.#writing === flight) this.#writing = undefined;
    this.#visibleTimer?.cancel();
    this.#watchAnswer();
    for (const commit of flight.commits) commit.reject(refusal);
    this.#afterStep();
  }

  #watchAnswer(): void {
    this.#answerTimer?.cancel();
    this.#answerTimer = undefined;
    if (this.#flights.length === 0) return;
    this.#answerTimer = this.#parts.clock.after(answerDeadlineMs, () => {
      this.#fail(`no answer from the disk within ${answerDeadlineMs} ms`);
    });
  }

  #afterStep(): void {
    this.#schedule();
    if (this.#isIdle()) this.#onIdle?.();
  }

  /**
   * A failed flush is final: the kernel may have dropped the dirty pages and a second fsync would
   * report success without them (Rebello et al., USENIX ATC '20).
   */
  #fail(reason: string, cause?: unknown): void {
    const failure = new RuntimeError(
      'RUNTIME_STORE_FAILED',
      { directory: this.directory, reason },
      { cause },
    );
    this.#failure = failure;
    this.#visibleTimer?.cancel();
    this.#answerTimer?.cancel();
    for (const { commits } of this.#flights) for (const commit of commits) commit.reject(failure);
    for (const commit of this.#waiting) commit.reject(failure);
    this.#flights.length = 0;
    this.#waiting = [];
    this.#onIdle?.();
    this.#onFailure?.(failure);
  }
}

/** Bytes that this user may still write on the disk of the store. */
function diskFreeBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}

/** Bytes of pages that hold rows; free pages inside the file do not count. */
function usedBytes(environment: Environment): number {
  const stats = environment.getStats() as unknown as {
    pageSize: number;
    root: { treeBranchPageCount: number; treeLeafPageCount: number; overflowPages: number };
  };
  const { treeBranchPageCount, treeLeafPageCount, overflowPages } = stats.root;
  return (treeBranchPageCount + treeLeafPageCount + overflowPages) * stats.pageSize;
}

/** lmdb-js rejects with a general error whose `commitError` is a promise of the real one. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  return Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  );
}
