import type { Commit, Committed, Durable } from './store.ts';
import type { StagedOperation } from './store-rows.ts';

/** A transaction that was accepted and waits for its two promises. */
export class PendingCommit implements Commit {
  readonly sequence: number;
  readonly operations: readonly StagedOperation[];
  readonly committed: Promise<Committed>;
  readonly durable: Promise<Durable>;
  readonly #committed: PromiseWithResolvers<Committed>;
  readonly #durable: PromiseWithResolvers<Durable>;

  constructor(sequence: number, operations: readonly StagedOperation[]) {
    this.sequence = sequence;
    this.operations = operations;
    this.#committed = withResolvers();
    this.#durable = withResolvers();
    this.committed = this.#committed.promise;
    this.durable = this.#durable.promise;
    // Most callers wait for one of the two; the other one must not end the process.
    this.committed.catch(() => undefined);
    this.durable.catch(() => undefined);
  }

  resolveCommitted(): void {
    this.#committed.resolve({ promise: 'committed', sequence: this.sequence });
  }

  resolveDurable(): void {
    this.#durable.resolve({ promise: 'durable', sequence: this.sequence });
  }

  /** A promise that was kept already stays kept. */
  reject(error: unknown): void {
    this.#committed.reject(error);
    this.#durable.reject(error);
  }
}

export function rejectedCommit(error: unknown): Commit {
  const commit = new PendingCommit(0, []);
  commit.reject(error);
  return commit;
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((keep, refuse) => {
    resolve = keep;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
