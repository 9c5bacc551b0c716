import type { RuntimeEvent } from './envelope.ts';
import type { Clock } from './ports/clock.ts';
import type { Wheel, WheelTimer } from './wheel.ts';

/** Counted events of one kind and code are told at most this often. */
const countedEveryMs = 1_000;
/** Different counted events that may gather. */
const countedLimit = 1_000;

type Report = Omit<RuntimeEvent, 'atMs' | 'thread'>;

/** Tells events at once, and events with a count gathered: a flood of refusals is one event. */
export class Reports {
  readonly #clock: Clock;
  readonly #wheel: Wheel;
  readonly #thread: string;
  readonly #publish: (event: RuntimeEvent) => void;
  readonly #counted = new Map<string, Report & { count: number }>();
  #timer: WheelTimer | undefined;

  constructor(clock: Clock, wheel: Wheel, thread: string, publish: (event: RuntimeEvent) => void) {
    this.#clock = clock;
    this.#wheel = wheel;
    this.#thread = thread;
    this.#publish = publish;
  }

  add(report: Report): void {
    if (report.count === undefined) {
      this.#tell(report);
      return;
    }
    const name = `${report.type} ${report.kind} ${report.code}`;
    const earlier = this.#counted.get(name);
    if (earlier) earlier.count += report.count;
    else if (this.#counted.size < countedLimit) {
      this.#counted.set(name, { ...report, count: report.count });
    }
    this.#timer ??= this.#wheel.add(countedEveryMs, () => this.flush());
  }

  flush(): void {
    this.#wheel.cancel(this.#timer);
    this.#timer = undefined;
    const counted = [...this.#counted.values()];
    this.#counted.clear();
    for (const report of counted) this.#tell(report);
  }

  #tell(report: Report): void {
    this.#publish({ ...report, atMs: this.#clock.nowMs(), thread: this.#thread });
  }
}
