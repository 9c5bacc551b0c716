import { type Channel, plainError } from './channel.ts';
import type { ReplyTo } from './envelope.ts';

/** Sends an answer back to the thread that asked. */
export class ReplyOver implements ReplyTo {
  readonly #channel: Channel;
  readonly #id: number;

  constructor(channel: Channel, id: number) {
    this.#channel = channel;
    this.#id = id;
  }

  resolve(value: unknown): void {
    this.#channel.value(this.#id, value);
  }

  reject(error: unknown): void {
    this.#channel.error(this.#id, plainError(error));
  }
}
