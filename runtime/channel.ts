import { Packr } from 'msgpackr';
import { isRuntimeErrorCode, RuntimeError, type RuntimeErrorDetails, reasonOf } from './errors.ts';
import { isCodedError } from './host.ts';
import type { Link } from './ports/network.ts';

/** Messages that may be on their way to one thread without its acknowledgement. */
export const linkWindow = 65_536;
/** The receiver acknowledges at least after this many messages. */
const acknowledgeEvery = 1_024;
/** Messages of one batch. */
const batchLimit = 1_024;

/** What crosses threads. Arrays, because their encoding carries no field names. */
export type Frame =
  | [op: 'tell', kind: string, key: string, type: string, payload: unknown, trace: string | null]
  | [
      op: 'ask',
      id: number,
      kind: string,
      key: string,
      type: string,
      payload: unknown,
      trace: string | null,
      mail: boolean,
    ]
  | [op: 'value', id: number, value: unknown]
  | [op: 'error', id: number, error: PlainError]
  | [op: 'taken', count: number]
  | [op: 'control', name: string, body: unknown];

export interface PlainError {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly details: RuntimeErrorDetails;
}

/** A coded error that another thread answered with. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly code: string;
  readonly remedy: string;
  readonly details: RuntimeErrorDetails;

  constructor(plain: PlainError) {
    super(plain.message);
    this.code = plain.code;
    this.remedy = plain.remedy;
    this.details = plain.details;
  }
}

/** Makes an error of another thread an instance of its class again; undefined = not one of yours. */
export type ReviveError = (plain: PlainError) => Error | undefined;

export function plainError(error: unknown): PlainError {
  if (!isCodedError(error)) {
    const failed = new RuntimeError('RUNTIME_ASSERTION', { what: reasonOf(error) });
    return { ...plainError(failed), message: failed.message };
  }
  const details = (error as { details?: RuntimeErrorDetails }).details ?? {};
  const { name, code, message, remedy } = error;
  return { name, code, message, remedy, details };
}

export function reviveError(plain: PlainError, revive: ReviveError | undefined): Error {
  const { code, details } = plain;
  if (isRuntimeErrorCode(code)) return new RuntimeError(code, details);
  return revive?.(plain) ?? new RemoteError(plain);
}

/**
 * One direction-pair of batched messages to another thread: frames of one burst leave as one
 * MessagePack array. Bounded by a window of unacknowledged messages in each direction.
 */
export class Channel {
  readonly peer: string;
  readonly #link: Link;
  readonly #packr = new Packr({ useRecords: false, copyBuffers: true, moreTypes: true });
  readonly #receive: (frame: Frame) => void;
  #outgoing: Frame[] = [];
  #scheduled = false;
  #inFlight = 0;
  #taken = 0;

  constructor(peer: string, link: Link, receive: (frame: Frame) => void) {
    this.peer = peer;
    this.#link = link;
    this.#receive = receive;
    link.onReceive((batch) => this.#unpack(batch));
  }

  /** False when the window is used up. Answers and control frames always pass. */
  send(frame: Frame): boolean {
    const counted = frame[0] === 'tell' || frame[0] === 'ask';
    if (counted) {
      if (this.#inFlight >= linkWindow) return false;
      this.#inFlight += 1;
    }
    this.#outgoing.push(frame);
    if (this.#outgoing.length >= batchLimit) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => this.flush());
    }
    return true;
  }

  /** Sends what has gathered. */
  flush(): void {
    this.#scheduled = false;
    if (this.#outgoing.length === 0) return;
    const frames = this.#outgoing;
    this.#outgoing = [];
    this.#link.send(this.#pack(frames));
  }

  /** Loses what has gathered, as a crash does. */
  drop(): void {
    this.#outgoing = [];
    this.#link.close();
  }

  close(): void {
    this.flush();
    this.#link.close();
  }

  #pack(frames: Frame[]): Uint8Array {
    try {
      return this.#packr.pack(frames);
    } catch {
      return this.#packr.pack(frames.filter((frame) => this.#isEncodable(frame)));
    }
  }

  /** One message that cannot be encoded must not take its neighbours along. */
  #isEncodable(frame: Frame): boolean {
    try {
      this.#packr.pack(frame);
      return true;
    } catch (error) {
      if (frame[0] === 'ask' || frame[0] === 'tell') this.#inFlight -= 1;
      const [kind, key, type] = frame[0] === 'ask' ? [frame[2], frame[3], frame[4]] : ['', '', ''];
      const details = { kind, key, type, reason: reasonOf(error) };
      const plain = plainError(new RuntimeError('RUNTIME_NOT_ENCODABLE', details));
      if (frame[0] === 'ask') this.#receive(['error', frame[1], plain]);
      if (frame[0] === 'value') this.send(['error', frame[1], plain]);
      return false;
    }
  }

  #unpack(batch: Uint8Array): void {
    const frames = this.#packr.unpack(batch) as Frame[];
    for (const frame of frames) {
      if (frame[0] === 'taken') {
        this.#inFlight -= frame[1];
        continue;
      }
      if (frame[0] === 'tell' || frame[0] === 'ask') this.#taken += 1;
      this.#receive(frame);
    }
    if (this.#taken >= acknowledgeEvery) {
      this.send(['taken', this.#taken]);
      this.#taken = 0;
    }
  }
}
