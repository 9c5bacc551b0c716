import type { ReplyTo } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import { type Wheel, WheelTimer } from './wheel.ts';

/** Answers that one thread waits for, from actors here and elsewhere. */
export const pendingAskLimit = 200_000;
/** Places that question numbers can name; a number is its place and how often the place was used. */
const placeCount = 2 ** 18;

/** One question: its promise, its deadline, and where its answer goes. */
export class Ask extends WheelTimer implements ReplyTo {
  /** Names the question to the thread that answers it. */
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly type: string;
  readonly deadlineMs: number;
  readonly promise: Promise<unknown>;
  /** The thread that answers; undefined for actors of this thread. */
  thread: string | undefined = undefined;
  readonly #asks: Asks;
  #resolve: ((value: unknown) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;

  constructor(
    asks: Asks,
    id: number,
    to: { readonly kind: string; readonly key: string },
    type: string,
    deadlineMs: number,
  ) {
    super();
    this.#asks = asks;
    this.id = id;
    this.kind = to.kind;
    this.key = to.key;
    this.type = type;
    this.deadlineMs = deadlineMs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(value: unknown): void {
    if (this.#asks.close(this)) this.#resolve?.(value);
  }

  reject(error: unknown): void {
    if (this.#asks.close(this)) this.#reject?.(error);
  }

  due(): void {
    const { kind, key, type, deadlineMs } = this;
    this.reject(new RuntimeError('RUNTIME_DEADLINE', { kind, key, type, deadlineMs }));
  }
}

/** Questions that wait for their answer or their deadline. */
export class Asks {
  readonly #wheel: Wheel;
  /**
   * By place, not in a Map: each rehash of a map that turns over quickly leaves a table behind that
   * keeps what it held alive until the next full collection.
   */
  readonly #places: (Ask | undefined)[] = [];
  readonly #uses: number[] = [];
  readonly #free: number[] = [];
  #size = 0;

  constructor(wheel: Wheel) {
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#size;
  }

  /** A question that waits from now on; undefined when too many do. */
  open(
    to: { readonly kind: string; readonly key: string },
    type: string,
    deadlineMs: number,
  ): Ask | undefined {
    if (this.#size >= pendingAskLimit) return undefined;
    const place = this.#free.pop() ?? this.#newPlace();
    const use = (this.#uses[place] as number) + 1;
    this.#uses[place] = use;
    const ask = new Ask(this, use * placeCount + place, to, type, deadlineMs);
    this.#places[place] = ask;
    this.#size += 1;
    this.#wheel.start(ask, deadlineMs);
    return ask;
  }

  /** False when the question was settled before. */
  close(ask: Ask): boolean {
    const place = ask.id % placeCount;
    if (this.#places[place] !== ask) return false;
    this.#places[place] = undefined;
    this.#free.push(place);
    this.#size -= 1;
    this.#wheel.cancel(ask);
    return true;
  }

  answer(id: number, value: unknown): void {
    this.#find(id)?.resolve(value);
  }

  fail(id: number, error: unknown): void {
    this.#find(id)?.reject(error);
  }

  /** The thread will not answer any more. */
  failThread(thread: string): void {
    for (const ask of [...this.#places]) {
      if (ask?.thread === thread) ask.reject(new RuntimeError('RUNTIME_THREAD_GONE', { thread }));
    }
  }

  failAll(error: Error): void {
    for (const ask of [...this.#places]) ask?.reject(error);
  }

  #newPlace(): number {
    this.#places.push(undefined);
    this.#uses.push(0);
    return this.#places.length - 1;
  }

  /** Undefined for a question that was settled, also when its place has another one now. */
  #find(id: number): Ask | undefined {
    const ask = this.#places[id % placeCount];
    return ask?.id === id ? ask : undefined;
  }
}
