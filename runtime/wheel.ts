import type { Clock, TimerHandle } from './ports/clock.ts';

/** Resolution of deadlines, idle times and durable timers. */
export const wheelTickMs = 10;
/** Timers of one thread that may wait in memory. */
export const wheelLimit = 4_000_000;

const slotBits = 6;
const slotCount = 1 << slotBits;
const levelCount = 5;
const horizonTicks = 2 ** (slotBits * levelCount) - 1;

/** Ticks that one slot of each level spans. */
const slotWidths = Array.from({ length: levelCount }, (_, level) => 2 ** (slotBits * level));

/**
 * One timer: a link of its slot's ring while it waits. What waits anyway (a question, an actor) is
 * one itself, so that its deadline costs no object and no closure.
 */
export abstract class WheelTimer {
  /** Set by the wheel; undefined = not waiting. */
  atTick: number | undefined = undefined;
  previous: WheelTimer = this;
  next: WheelTimer = this;

  /** Called once when the time has come. */
  abstract due(): void;
}

class CallTimer extends WheelTimer {
  readonly #run: () => void;

  constructor(run: () => void) {
    super();
    this.#run = run;
  }

  due(): void {
    this.#run();
  }
}

/** The head of a slot's ring, never due itself. */
function ring(): WheelTimer {
  return new CallTimer(() => undefined);
}

function unlink(timer: WheelTimer): void {
  timer.previous.next = timer.next;
  timer.next.previous = timer.previous;
  timer.previous = timer;
  timer.next = timer;
}

/**
 * Hierarchical timing wheel (Varghese and Lauck, 1987): adding and cancelling cost the same however
 * many timers wait. Sleeps until the next occupied slot, so an idle thread stays idle.
 */
export class Wheel {
  readonly #clock: Clock;
  readonly #slots = Array.from({ length: slotCount * levelCount }, ring);
  readonly #startMs: number;
  #tick = 0;
  #size = 0;
  #wakeTick = Number.POSITIVE_INFINITY;
  #sleeping: TimerHandle | undefined;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  get size(): number {
    return this.#size;
  }

  /** Undefined when the wheel is full or stopped. Never early, at most one tick late. */
  add(delayMs: number, run: () => void): WheelTimer | undefined {
    const timer = new CallTimer(run);
    return this.start(timer, delayMs) ? timer : undefined;
  }

  /** As `add`, for a timer that does not wait now. False when the wheel is full or stopped. */
  start(timer: WheelTimer, delayMs: number): boolean {
    if (this.#size >= wheelLimit || this.#stopped) return false;
    const nowMs = this.#clock.monotonicMs() - this.#startMs;
    if (this.#size === 0) this.#tick = Math.floor(nowMs / wheelTickMs);
    const atTick = Math.max(this.#tick + 1, Math.ceil((nowMs + delayMs) / wheelTickMs));
    timer.atTick = atTick;
    this.#place(timer, atTick);
    this.#size += 1;
    if (atTick < this.#wakeTick) this.#sleepUntil(this.#nextWake());
    return true;
  }

  cancel(timer: WheelTimer | undefined): void {
    if (timer?.atTick === undefined) return;
    timer.atTick = undefined;
    unlink(timer);
    this.#size -= 1;
  }

  stop(): void {
    this.#stopped = true;
    this.#sleeping?.cancel();
  }

  #place(timer: WheelTimer, atTick: number): void {
    const distance = Math.min(atTick - this.#tick, horizonTicks);
    const at = this.#tick + distance;
    let level = 0;
    while (level < levelCount - 1 && distance >= (slotWidths[level + 1] as number)) level += 1;
    const slot = Math.floor(at / (slotWidths[level] as number)) % slotCount;
    const head = this.#slots[level * slotCount + slot] as WheelTimer;
    timer.previous = head.previous;
    timer.next = head;
    head.previous.next = timer;
    head.previous = timer;
  }

  /** The next tick at which a slot runs (level 0) or is spread over the level below. */
  #nextWake(): number {
    if (this.#size === 0) return Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (let level = 0; level < levelCount; level += 1) {
      const width = slotWidths[level] as number;
      const base = Math.floor(this.#tick / width);
      for (let ahead = 1; ahead <= slotCount; ahead += 1) {
        const head = this.#slots[level * slotCount + ((base + ahead) % slotCount)] as WheelTimer;
        if (head.next === head) continue;
        earliest = Math.min(earliest, (base + ahead) * width);
        break;
      }
    }
    return earliest;
  }

  #sleepUntil(tick: number): void {
    if (tick === this.#wakeTick || this.#stopped) return;
    this.#sleeping?.cancel();
    this.#sleeping = undefined;
    this.#wakeTick = tick;
    if (tick === Number.POSITIVE_INFINITY) return;
    const delay = this.#startMs + tick * wheelTickMs - this.#clock.monotonicMs();
    this.#sleeping = this.#clock.after(Math.max(1, Math.ceil(delay)), () => this.#wake(), {
      unref: true,
    });
  }

  #wake(): void {
    this.#wakeTick = Number.POSITIVE_INFINITY;
    const nowTick = Math.floor((this.#clock.monotonicMs() - this.#startMs) / wheelTickMs);
    for (let next = this.#nextWake(); next <= nowTick; next = this.#nextWake()) {
      this.#tick = next;
      for (let level = levelCount - 1; level >= 0; level -= 1) this.#turn(level);
    }
    if (this.#size > 0) this.#tick = Math.max(this.#tick, Math.min(nowTick, this.#nextWake() - 1));
    this.#sleepUntil(this.#nextWake());
  }

  /** Runs what is due in the slot that the hand of this level reached, moves the rest down. */
  #turn(level: number): void {
    const width = slotWidths[level] as number;
    if (this.#tick % width !== 0) return;
    const slot = Math.floor(this.#tick / width) % slotCount;
    const head = this.#slots[level * slotCount + slot] as WheelTimer;
    const due: WheelTimer[] = [];
    for (let timer = head.next; timer !== head; timer = head.next) {
      unlink(timer);
      due.push(timer);
    }
    for (const timer of due) {
      const { atTick } = timer;
      // Cancelled by one before it, or cancelled and started again.
      if (atTick === undefined || timer.next !== timer) continue;
      if (atTick > this.#tick) {
        this.#place(timer, atTick);
        continue;
      }
      timer.atTick = undefined;
      this.#size -= 1;
      timer.due();
    }
  }
}
