import type { Clock } from '../../runtime/ports/clock.ts';
import type { SpanBatch, SpanRecord } from './messages.ts';

/** Spans of one thread that may wait for their way to the web thread. */
export const bufferedSpansLimit = 1_000;
/** How long a span waits for others. */
const gatherMs = 500;

/** Gathers the spans of one thread and sends them on in batches. Never waits, and never grows. */
export class SpanBuffer {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #send: (batch: SpanBatch) => Promise<unknown>;
  #spans: SpanRecord[] = [];
  #dropped = 0;
  #isUnderWay = false;

  /** `send` rejects when nobody takes the batch. */
  constructor(clock: Pick<Clock, 'after'>, send: (batch: SpanBatch) => Promise<unknown>) {
    this.#clock = clock;
    this.#send = send;
  }

  add(span: SpanRecord): void {
    if (this.#spans.length < bufferedSpansLimit) this.#spans.push(span);
    else this.#dropped += 1;
    this.#gather();
  }

  #gather(): void {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    this.#clock.after(gatherMs, () => void this.#flush(), { unref: true });
  }

  /** One batch at a time: a web thread that is busy is not given more to do. */
  async #flush(): Promise<void> {
    const batch = { spans: this.#spans, dropped: this.#dropped };
    this.#spans = [];
    this.#dropped = 0;
    try {
      await this.#send(batch);
    } catch {
      this.#dropped += batch.spans.length + batch.dropped;
    }
    this.#isUnderWay = false;
    if (this.#spans.length > 0) this.#gather();
  }
}
