import type { ReplyTo } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import type { Wheel, WheelTimer } from './wheel.ts';

/** Answers that one thread waits for, from actors here and elsewhere. */
export const pendingAskLimit = 200_000;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: WheelTimer | undefined;
  /** The thread that answers; undefined for actors of this thread. */
  thread: string | undefined;
}

/** Questions that wait for their answer or their deadline. */
export class Asks {
  readonly #wheel: Wheel;
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  constructor(wheel: Wheel) {
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** `send` gets the number of the question and returns the thread that it went to. */
  ask(
    name: { kind: string; key: string; type: string },
    deadlineMs: number,
    send: (id: number, reply: ReplyTo) => string | undefined,
  ): Promise<unknown> {
    if (this.#pending.size >= pendingAskLimit) {
      return Promise.reject(new RuntimeError('RUNTIME_ASKS_FULL', { limit: pendingAskLimit }));
    }
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      const timer = this.#wheel.add(deadlineMs, () => {
        this.#pending.delete(id);
        reject(new RuntimeError('RUNTIME_DEADLINE', { ...name, deadlineMs }));
      });
      const pending: Pending = { resolve, reject, timer, thread: undefined };
      this.#pending.set(id, pending);
      pending.thread = send(id, {
        resolve: (value) => this.answer(id, value),
        reject: (error) => this.fail(id, error),
      });
    });
  }

  answer(id: number, value: unknown): void {
    this.#take(id)?.resolve(value);
  }

  fail(id: number, error: unknown): void {
    this.#take(id)?.reject(error);
  }

  /** The thread will not answer any more. */
  failThread(thread: string): void {
    for (const [id, pending] of this.#pending) {
      if (pending.thread === thread) {
        this.fail(id, new RuntimeError('RUNTIME_THREAD_GONE', { thread }));
      }
    }
  }

  failAll(error: Error): void {
    for (const id of [...this.#pending.keys()]) this.fail(id, error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (!pending) return undefined;
    this.#pending.delete(id);
    this.#wheel.cancel(pending.timer);
    return pending;
  }
}
