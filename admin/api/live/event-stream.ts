import type { ServerResponse } from 'node:http';
import { type EventChunk, type LiveOutlet, type StreamNotice, sseEvent } from './outlet.ts';

/** How soon a browser connects again, milliseconds. */
const reconnectMs = 2_000;
/** For a peer that does not take the last words. */
const lastWordsMs = 5_000;

/** Server-sent events on an answer whose head was written. */
export class EventStreamOutlet implements LiveOutlet {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.write(`retry: ${reconnectMs}\n\n`);
  }

  get waitingBytes(): number {
    return this.#response.writableLength;
  }

  send(chunk: EventChunk): void {
    this.#response.write(chunk.eventStream);
  }

  notify({ type, id, data }: StreamNotice): void {
    this.#response.write(sseEvent(id, type, JSON.stringify({ id, type, ...data })));
  }

  beat(): void {
    this.#response.write(': still here\n\n');
  }

  end(notice: StreamNotice): void {
    this.notify(notice);
    this.#response.end();
    setTimeout(() => this.#response.destroy(), lastWordsMs).unref();
  }
}
