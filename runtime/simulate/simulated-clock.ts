import { RuntimeError } from '../errors.ts';
import type { Clock, TimerHandle } from '../ports/clock.ts';

/** Events that may wait in one simulation. */
export const simulatedEventLimit = 10_000_000;

interface SimulatedEvent {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

function isBefore(a: SimulatedEvent, b: SimulatedEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Virtual time: stands still until the simulation runs the next event. */
export class SimulatedTime {
  #nowMs = 0;
  #order = 0;
  /** Binary heap, earliest first. */
  readonly #heap: SimulatedEvent[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next event is due; infinite when nothing waits. */
  get nextMs(): number {
    this.#dropCancelled();
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  at(atMs: number, run: () => void): TimerHandle {
    if (this.#heap.length >= simulatedEventLimit) {
      throw new RuntimeError('RUNTIME_LIMIT', { what: 'simulation', limit: simulatedEventLimit });
    }
    this.#order += 1;
    const event: SimulatedEvent = { atMs: Math.max(atMs, this.#nowMs), order: this.#order, run };
    this.#push(event);
    return {
      cancel: () => {
        event.run = undefined;
      },
    };
  }

  /** Runs the next event; false when there is none up to `untilMs`, where the time then stands. */
  step(untilMs: number): boolean {
    this.#dropCancelled();
    const event = this.#heap[0];
    if (event === undefined || event.atMs > untilMs) {
      if (untilMs !== Number.POSITIVE_INFINITY) this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#pop();
    this.#nowMs = event.atMs;
    const run = event.run;
    event.run = undefined;
    run?.();
    return true;
  }

  #dropCancelled(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].run === undefined) this.#pop();
  }

  #push(event: SimulatedEvent): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as SimulatedEvent;
      if (isBefore(above, event)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as SimulatedEvent)) child += 1;
      if (isBefore(last, heap[child] as SimulatedEvent)) break;
      heap[index] = heap[child] as SimulatedEvent;
      index = child;
    }
    heap[index] = last;
  }
}

/** One thread's view of the virtual time. Nothing that it was to call is called once it is dead. */
export class SimulatedClock implements Clock {
  readonly #time: SimulatedTime;
  readonly #epochMs: number;
  #dead = false;

  constructor(time: SimulatedTime, epochMs: number) {
    this.#time = time;
    this.#epochMs = epochMs;
  }

  nowMs(): number {
    return this.#epochMs + this.#time.nowMs;
  }

  monotonicMs(): number {
    return this.#time.nowMs;
  }

  after(delayMs: number, run: () => void): TimerHandle {
    return this.#time.at(this.#time.nowMs + Math.max(0, delayMs), () => {
      if (!this.#dead) run();
    });
  }

  soon(run: () => void): void {
    this.after(0, run);
  }

  die(): void {
    this.#dead = true;
  }
}
