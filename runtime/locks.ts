import { RuntimeError } from './errors.ts';

/** Claims that may be under way in the whole system. */
export const lockLimit = 200_000;

interface Waiter {
  readonly thread: string;
  readonly grant: () => void;
}

/** Named locks, first come first served; the main thread keeps them so that claims do not race. */
export class Locks {
  readonly #queues = new Map<string, Waiter[]>();
  #size = 0;

  acquire(name: string, thread: string): Promise<void> {
    if (this.#size >= lockLimit) {
      return Promise.reject(
        new RuntimeError('RUNTIME_LIMIT', { what: 'claim locks', limit: lockLimit }),
      );
    }
    this.#size += 1;
    const queue = this.#queues.get(name);
    if (!queue) {
      this.#queues.set(name, [{ thread, grant: () => undefined }]);
      return Promise.resolve();
    }
    return new Promise((grant) => queue.push({ thread, grant }));
  }

  /** Also takes back a wait. */
  release(name: string, thread: string): void {
    const queue = this.#queues.get(name) ?? [];
    const index = queue.findIndex((waiter) => waiter.thread === thread);
    if (index < 0) return;
    if (index === 0) this.#pop(name, queue);
    else {
      queue.splice(index, 1);
      this.#size -= 1;
    }
  }

  /** The thread died: what it held or waited for goes to the next. */
  dropThread(thread: string): void {
    for (const [name, queue] of this.#queues) {
      const waiting = queue.filter((waiter, index) => index === 0 || waiter.thread !== thread);
      this.#size -= queue.length - waiting.length;
      queue.splice(0, queue.length, ...waiting);
      if (queue[0]?.thread === thread) this.#pop(name, queue);
    }
  }

  #pop(name: string, queue: Waiter[]): void {
    queue.shift();
    this.#size -= 1;
    if (queue.length === 0) this.#queues.delete(name);
    else queue[0]?.grant();
  }
}
