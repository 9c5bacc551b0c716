import { RuntimeError } from './errors.ts';
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
}

/**
 * Group commit: while one transaction is on its way, the turns behind it gather into the next, so
 * that a busy shard pays for one transaction per many turns. When a group is refused each of its
 * turns is tried alone: one turn's full table must not fail its neighbours.
 */
export class Committer {
  readonly #store: Store;
  #waiting: CommitRequest[] = [];
  #busy = false;
  #last: Commit | undefined;
  #idle: (() => void)[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  commit(request: CommitRequest): void {
    if (this.#waiting.length >= waitingCommitLimit) {
      request.settled(
        new RuntimeError('RUNTIME_LIMIT', { what: 'commit queue', limit: waitingCommitLimit }),
      );
      return;
    }
    this.#waiting.push(request);
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
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #next(): void {
    const group = this.#takeGroup();
    if (group.length === 0) {
      this.#busy = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
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
