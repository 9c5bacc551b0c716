import type { SpanBatch, SpanRecord } from '../../../actors/tracing/messages.ts';
import type { Clock } from '../../../runtime/ports/clock.ts';
import { AdminError } from '../../errors.ts';

/** Spans of the whole server that may wait for the collector. */
export const queuedSpansLimit = 8_192;
/** Spans of one request to the collector. */
const batchSpans = 512;
/** How long a span waits for others. */
const gatherMs = 1_000;
/** A collector that comes and goes is told of this often. */
const complaintEveryMs = 600_000;
/** What the end of the server waits for the last spans. */
const closeMs = 2_000;

/** Sends spans to the collector; rejects when it did not take them. */
export type ExportSpans = (spans: readonly SpanRecord[]) => Promise<void>;

/** Why a span was not exported. */
export type DropReason = 'thread' | 'queue' | 'collector';

interface QueueParts {
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  readonly send: ExportSpans;
  readonly log: (level: 'info' | 'warn', message: string, fields: Record<string, unknown>) => void;
}

/**
 * Where the spans of all threads wait for the collector. It holds so many and no more, one request at a
 * time is under way, and a collector that is away costs its spans and one line in the log.
 */
export class ExportQueue {
  readonly #parts: QueueParts;
  readonly #dropped: Record<DropReason, number> = { thread: 0, queue: 0, collector: 0 };
  #spans: SpanRecord[] = [];
  #exported = 0;
  #gathering: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #isFailing = false;
  #complainedAtMs: number | undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#spans.length;
  }

  get exported(): number {
    return this.#exported;
  }

  get dropped(): Readonly<Record<DropReason, number>> {
    return this.#dropped;
  }

  /** What another thread finished. */
  take({ spans, dropped }: SpanBatch): void {
    this.#dropped.thread += dropped;
    for (const span of spans) this.add(span);
  }

  add(span: SpanRecord): void {
    if (this.#spans.length < queuedSpansLimit) this.#spans.push(span);
    else this.#dropped.queue += 1;
    this.#gathering ??= this.#exportSoon();
  }

  /** Exports what waits, if the collector takes it soon. */
  async close(): Promise<void> {
    const late = new Promise<void>((resolve) => {
      this.#parts.clock.after(closeMs, resolve, { unref: true });
    });
    await Promise.race([late, this.#drain()]);
  }

  async #exportSoon(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#parts.clock.after(gatherMs, resolve, { unref: true });
    });
    this.#gathering = undefined;
    await this.#drain();
  }

  /** One at a time, whoever asks for it. */
  #drain(): Promise<void> {
    this.#draining ??= this.#exportAll().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #exportAll(): Promise<void> {
    while (this.#spans.length > 0) await this.#export(this.#spans.splice(0, batchSpans));
  }

  async #export(batch: readonly SpanRecord[]): Promise<void> {
    try {
      await this.#parts.send(batch);
      this.#exported += batch.length;
      if (this.#isFailing) this.#parts.log('info', 'traces are exported again', {});
      this.#isFailing = false;
    } catch (error) {
      this.#dropped.collector += batch.length;
      this.#failed(error);
    }
  }

  #failed(cause: unknown): void {
    const wasFailing = this.#isFailing;
    this.#isFailing = true;
    // What is wrong with the settings was told at the start.
    if (cause instanceof AdminError) return;
    const nowMs = this.#parts.clock.monotonicMs();
    const since = nowMs - (this.#complainedAtMs ?? Number.NEGATIVE_INFINITY);
    if (wasFailing || since < complaintEveryMs) return;
    this.#complainedAtMs = nowMs;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { code, message, remedy } = new AdminError('TRACING_EXPORT_FAILED', reason);
    this.#parts.log('warn', message, { code, remedy });
  }
}
