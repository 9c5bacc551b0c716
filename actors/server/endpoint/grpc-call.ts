import { messagePrefixLength } from './grpc-answers.ts';
import { type RefusedCall, refusal } from './refusals.ts';

const nothing = Buffer.alloc(0);

/** Room that the unfinished requests of one endpoint hold together. */
export class BodyBudget {
  readonly #limit: number;
  #held = 0;

  /** `limit` in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when there is no more. */
  change(bytes: number): boolean {
    this.#held += bytes;
    return this.#held <= this.#limit;
  }
}

export function overloaded(): RefusedCall {
  return refusal('REQUEST_OVERLOADED', { reason: 'too much is on its way to it' });
}

/** Gathers the one message of a unary call from the body of its request. */
export class MessageReader {
  readonly #method: string;
  readonly #limit: number;
  /** Empty until the length is known. */
  #message: Buffer | undefined;
  #prefix: Buffer = nothing;
  #length = 0;
  #filled = 0;

  /** `limit`: bytes of the message; `method` for the words of a refusal. */
  constructor(method: string, limit: number) {
    this.#method = method;
    this.#limit = limit;
  }

  /** Bytes that are held until the rest comes. */
  get held(): number {
    const message = this.#message;
    return message === undefined || this.#filled === this.#length ? 0 : message.length;
  }

  /** Takes a part of the body; returns why nothing more is wanted. */
  add(bytes: Buffer): RefusedCall | undefined {
    if (this.#message !== undefined) return this.#fill(bytes);
    const start = this.#prefix.length === 0 ? bytes : Buffer.concat([this.#prefix, bytes]);
    if (start.length < messagePrefixLength) {
      this.#prefix = Buffer.from(start);
      return undefined;
    }
    if (start[0] !== 0) return malformed('it is compressed');
    this.#length = start.readUInt32BE(1);
    if (this.#length > this.#limit) return this.#tooLarge(this.#length);
    const body = start.subarray(messagePrefixLength);
    if (body.length === this.#length) {
      // The usual case: all in one piece, which nobody else holds.
      this.#message = body;
      this.#filled = body.length;
      return undefined;
    }
    if (body.length > this.#length) return malformed('more than one message');
    this.#message = nothing;
    return this.#fill(body);
  }

  /** The message, or why there is none. */
  whole(): Buffer | RefusedCall {
    if (this.#message === undefined) return malformed('no message');
    if (this.#filled < this.#length) return malformed('the message is cut short');
    return this.#message;
  }

  /** Room is made as the bytes come, not as they are announced. */
  #fill(bytes: Buffer): RefusedCall | undefined {
    const message = this.#message ?? nothing;
    const filled = this.#filled + bytes.length;
    if (filled > this.#length) return malformed('more than one message');
    if (filled > message.length) {
      const room = Math.min(this.#length, Math.max(2 * message.length, filled));
      this.#message = Buffer.allocUnsafeSlow(room);
      message.copy(this.#message, 0, 0, this.#filled);
    }
    bytes.copy(this.#message ?? nothing, this.#filled);
    this.#filled = filled;
    return undefined;
  }

  #tooLarge(size: number): RefusedCall {
    const details = { size, limit: this.#limit, method: this.#method };
    return { ...refusal('REQUEST_TOO_LARGE', details), retryAfterMs: 0 };
  }
}

function malformed(reason: string): RefusedCall {
  return refusal('REQUEST_MALFORMED', { reason });
}
