import type { Clock } from '../../runtime/ports/clock.ts';
import type { FleetEventType, LiveBatch, LiveEvent } from './messages.ts';

/** Fleet events that are told one by one in a second, on average. */
const singlesPerSecond = 200;
/** As many may come at once. */
const singlesBurst = 1_000;
/** How long what is only counted waits to be told of. */
const summaryDelayMs = 1_000;
/** Batches that the web thread has not answered; more are not sent, and leave a hole. */
const unansweredMax = 32;

const countable: ReadonlySet<string> = new Set<FleetEventType>(['envoy.state', 'run.finished']);

/**
 * Carries what was written to the web thread. A whole fleet that changes its state at once is
 * counted instead of told one by one: nobody can read it, and every viewer would pay for it.
 */
export class EventFeed {
  readonly #send: (batch: LiveBatch) => Promise<unknown>;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'nowMs' | 'after'>;
  readonly #source: string;
  #number = 0;
  #unanswered = 0;
  #tokens = singlesBurst;
  #filledAtMs: number;
  #states = 0;
  #runs = 0;
  #summaryIsDue = false;

  /** `source`: another one for each life of the thread. `send` rejects when nobody takes the batch. */
  constructor(
    source: string,
    clock: Pick<Clock, 'monotonicMs' | 'nowMs' | 'after'>,
    send: (batch: LiveBatch) => Promise<unknown>,
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#send = send;
    this.#filledAtMs = clock.monotonicMs();
  }

  tell(events: readonly LiveEvent[]): void {
    this.#fill();
    const single = events.filter((event) => this.#isSingle(event));
    if (single.length > 0) this.#dispatch(single);
  }

  #isSingle({ type }: LiveEvent): boolean {
    if (!countable.has(type)) return true;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return true;
    }
    if (type === 'envoy.state') this.#states += 1;
    else this.#runs += 1;
    this.#summarise();
    return false;
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    const gained = ((nowMs - this.#filledAtMs) / 1000) * singlesPerSecond;
    this.#tokens = Math.min(singlesBurst, this.#tokens + gained);
    this.#filledAtMs = nowMs;
  }

  #summarise(): void {
    if (this.#summaryIsDue) return;
    this.#summaryIsDue = true;
    this.#clock.after(
      summaryDelayMs,
      () => {
        this.#summaryIsDue = false;
        const data = { states: this.#states, runs: this.#runs };
        this.#states = 0;
        this.#runs = 0;
        this.#dispatch([{ type: 'envoys.many', atMs: this.#clock.nowMs(), data }]);
      },
      { unref: true },
    );
  }

  #dispatch(events: readonly LiveEvent[]): void {
    this.#number += 1;
    if (this.#unanswered >= unansweredMax) return;
    this.#unanswered += 1;
    const answered = (): void => {
      this.#unanswered -= 1;
    };
    this.#send({ source: this.#source, number: this.#number, events }).then(answered, answered);
  }
}
