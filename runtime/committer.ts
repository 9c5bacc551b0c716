import { RuntimeError } from './errors.ts';
import type { Clock, TimerHandle } from './ports/clock.ts';
import type { Commit, Operation, Store } from './store.ts';

/**
 * Operations that one transaction of the store takes at most (one turn may stage more). Handing them
 * over takes the thread some 10 microseconds each, in which it does nothing else.
 */
export const batchOperationLimit = 512;
/** Turns of one thread that may wait for their commit. */
export const waitingCommitLimit = 200_000;

/** What one turn wants stored, and who wants to know. */
export interface CommitRequest {
  readonly operations: readonly Operation[];
  /** Called once: without an error when readers see the operations, else nothing was applied. */
  readonly settled: (error: unknown) => void;
  /** When given, called once after `settled` without an error: on power-loss safety or its failure. */
  readonly durable: ((error: unknown) => void) | undefined;
  /** Waits for no company: many others are to follow it. */
  readonly isPrompt?: boolean;
}

export interface Gathering {
  readonly clock: Clock;
  /** Milliseconds from the beginning of one transaction to that of the next. 0 = none. */
  readonly gatherMs: number;
}

/**
 * Group commit: while one transaction is on its way, the turns behind it gather into the next, so
 * that a busy shard pays for one transaction per many turns. A turn that comes alone is committed at
 * once; one that comes soon after another waits for company, as a transaction costs a flush and two
 * threads some 200 microseconds however little is in it. When a group is refused each of its
 * turns is tried alone: one turn's full table must not fail its neighbours.
 */
export class Committer {
  readonly #store: Store;
  readonly #gathering: Gathering | undefined;
  #waiting: CommitRequest[] = [];
  #waitingOperations = 0;
  #beganMs = Number.NEGATIVE_INFINITY;
  #gatherTimer: TimerHandle | undefined;
  #busy = false;
  #last: Commit | undefined;
  #idle: (() => void)[] = [];

  constructor(store: Store, gathering?: Gathering) {
    this.#store = store;
    this.#gathering = gathering;
  }

  commit(request: CommitRequest): void {
    if (this.#waiting.length >= waitingCommitLimit) {
      request.settled(
        new RuntimeError('RUNTIME_LIMIT', { what: 'commit queue', limit: waitingCommitLimit }),
      );
      return;
    }
    this.#waiting.push(request);
    this.#waitingOperations += request.operations.length;
    if (request.isPrompt || this.#waitingOperations >= batchOperationLimit) this.#stopGathering();
    if (this.#busy) return;
    this.#busy = true;
    queueMicrotask(() => this.#next());
  }

  /** Resolves when everything committed so far survives power loss. */
  async allDurable(): Promise<void> {
    await this.allCommitted();
    await this.#last?.durable;
  }

  /** Resolves when nothing waits for its commit. */
  allCommitted(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    this.#stopGathering();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #next(): void {
    if (this.#waiting.length === 0) {
      this.#busy = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const waitMs = this.#gatherLeftMs();
    if (waitMs <= 0) this.#begin();
    else this.#gatherTimer = this.#gathering?.clock.after(waitMs, () => this.#begin());
  }

  #gatherLeftMs(): number {
    if (this.#gathering === undefined || this.#idle.length > 0) return 0;
    if (this.#waitingOperations >= batchOperationLimit) return 0;
    if (this.#waiting.some(({ isPrompt }) => isPrompt)) return 0;
    const { clock, gatherMs } = this.#gathering;
    return this.#beganMs + gatherMs - clock.monotonicMs();
  }

  /** Whoever waits for company goes now. */
  #stopGathering(): void {
    if (this.#gatherTimer === undefined) return;
    this.#gatherTimer.cancel();
    this.#begin();
  }

  #begin(): void {
    this.#gatherTimer = undefined;
    this.#beganMs = this.#gathering?.clock.monotonicMs() ?? 0;
    const group = this.#takeGroup();
    this.#write(
      group,
      () => this.#next(),
      (error) => this.#alone(group, 0, error),
    );
  }

  #takeGroup(): CommitRequest[] {
    let operations = 0;
    let taken = 0;
    for (const request of this.#waiting) {
      operations += request.operations.length;
      if (taken > 0 && operations > batchOperationLimit) break;
      taken += 1;
      this.#waitingOperations -= request.operations.length;
    }
    if (taken < this.#waiting.length) return this.#waiting.splice(0, taken);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  #alone(group: CommitRequest[], index: number, error: unknown): void {
    const request = group[index];
    if (request === undefined) {
      this.#next();
      return;
    }
    const onward = () => this.#alone(group, index + 1, error);
    if (group.length === 1) {
      request.settled(error);
      onward();
      return;
    }
    this.#write([request], onward, (own) => {
      request.settled(own);
      onward();
    });
  }

  #write(group: CommitRequest[], done: () => void, failed: (error: unknown) => void): void {
    const [first] = group;
    const operations =
      group.length === 1 && first
        ? first.operations
        : group.flatMap((request) => request.operations);
    let commit: Commit;
    try {
      commit = this.#store.transact(operations);
    } catch (error) {
      // Not at once: a store that refuses everything must not nest a whole group of calls.
      queueMicrotask(() => failed(error));
      return;
    }
    commit.committed.then(() => {
      this.#last = commit;
      for (const request of group) request.settled(undefined);
      const waiting = group.filter((request) => request.durable);
      if (waiting.length > 0) {
        const tell = (error: unknown) => {
          for (const request of waiting) request.durable?.(error);
        };
        commit.durable.then(() => tell(undefined), tell);
      }
      done();
    }, failed);
  }
}
