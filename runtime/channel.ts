import { Packr } from 'msgpackr';
import { isRuntimeErrorCode, RuntimeError, type RuntimeErrorDetails, reasonOf } from './errors.ts';
import { isCodedError } from './host.ts';
import type { Link } from './ports/network.ts';
import {
  asks,
  control,
  failure,
  isSameRun,
  type Run,
  singles,
  taken,
  tells,
  values,
} from './runs.ts';

/** Messages that may be on their way to one thread without its acknowledgement. */
export const linkWindow = 65_536;
/** The receiver acknowledges at least after this many messages. */
const acknowledgeEvery = 1_024;
/** Messages of one batch. */
const batchLimit = 1_024;

/** Where the messages of another thread go. */
export interface ChannelReceiver {
  tell(kind: string, key: string, type: string, payload: unknown, trace: string | undefined): void;
  /** The answer goes back with the same number. */
  ask(id: number, question: Question): void;
  value(id: number, value: unknown): void;
  error(id: number, error: PlainError): void;
  control(name: string, body: unknown): void;
}

export interface Question {
  readonly kind: string;
  readonly key: string;
  readonly type: string;
  readonly payload: unknown;
  readonly traceparent: string | undefined;
  readonly mail: boolean;
}

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
 * One direction-pair of batched messages to another thread: what one burst sends leaves as one
 * MessagePack array. Bounded by a window of unacknowledged messages in each direction.
 */
export class Channel {
  readonly peer: string;
  readonly #link: Link;
  readonly #packr = new Packr({ useRecords: false, copyBuffers: true, moreTypes: true });
  readonly #receiver: ChannelReceiver;
  readonly #flushSoon = (): void => this.flush();
  #outgoing: Run[] = [];
  #gathered = 0;
  #scheduled = false;
  #inFlight = 0;
  #taken = 0;

  constructor(peer: string, link: Link, receiver: ChannelReceiver) {
    this.peer = peer;
    this.#link = link;
    this.#receiver = receiver;
    link.onReceive((batch) => this.#unpack(batch));
  }

  /** False when the window is used up. */
  tell(
    kind: string,
    key: string,
    type: string,
    payload: unknown,
    traceparent: string | undefined,
  ): boolean {
    if (this.#inFlight >= linkWindow) return false;
    this.#inFlight += 1;
    const trace = traceparent ?? null;
    const last = this.#outgoing.at(-1);
    if (last?.[0] === tells && isSameRun(last, kind, key, type, trace)) last[1].push(payload);
    else this.#outgoing.push([tells, [payload], kind, key, type, trace]);
    this.#gather();
    return true;
  }

  /** False when the window is used up. */
  ask(id: number, { kind, key, type, payload, traceparent, mail }: Question): boolean {
    if (this.#inFlight >= linkWindow) return false;
    this.#inFlight += 1;
    const trace = traceparent ?? null;
    const last = this.#outgoing.at(-1);
    if (last?.[0] === asks && isSameRun(last, kind, key, type, trace) && last[6] === mail) {
      last[1].push(payload);
      last[7].push(id);
    } else this.#outgoing.push([asks, [payload], kind, key, type, trace, mail, [id]]);
    this.#gather();
    return true;
  }

  /** Answers and control messages always pass. */
  value(id: number, value: unknown): void {
    const last = this.#outgoing.at(-1);
    if (last?.[0] === values) {
      last[1].push(value);
      last[2].push(id);
    } else this.#outgoing.push([values, [value], [id]]);
    this.#gather();
  }

  error(id: number, error: PlainError): void {
    this.#outgoing.push([failure, id, error]);
    this.#gather();
  }

  control(name: string, body: unknown): void {
    this.#outgoing.push([control, name, body]);
    this.#gather();
  }

  /** Sends what has gathered. */
  flush(): void {
    this.#scheduled = false;
    if (this.#gathered === 0) return;
    const runs = this.#outgoing;
    this.#outgoing = [];
    this.#gathered = 0;
    this.#link.send(this.#pack(runs));
  }

  /** Loses what has gathered, as a crash does. */
  drop(): void {
    this.#outgoing = [];
    this.#gathered = 0;
    this.#link.close();
  }

  close(): void {
    this.flush();
    this.#link.close();
  }

  #gather(): void {
    this.#gathered += 1;
    if (this.#gathered >= batchLimit) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#flushSoon);
    }
  }

  #pack(runs: Run[]): Uint8Array {
    try {
      return this.#packr.pack(runs);
    } catch {
      return this.#packr.pack(runs.flatMap((run) => this.#encodable(run)));
    }
  }

  /** One message that cannot be encoded must not take its neighbours along. */
  #encodable(run: Run): Run[] {
    const single = singles(run);
    return single.filter((each) => {
      try {
        this.#packr.pack(each);
        return true;
      } catch (error) {
        this.#refuse(each, error);
        return false;
      }
    });
  }

  /** Whoever waits for a message that cannot be encoded learns of it. */
  #refuse(run: Run, error: unknown): void {
    if (run[0] === asks || run[0] === tells) this.#inFlight -= 1;
    const [kind, key, type] = run[0] === asks ? [run[2], run[3], run[4]] : ['', '', ''];
    const details = { kind, key, type, reason: reasonOf(error) };
    const plain = plainError(new RuntimeError('RUNTIME_NOT_ENCODABLE', details));
    if (run[0] === asks) for (const id of run[7]) this.#receiver.error(id, plain);
    if (run[0] === values) for (const id of run[2]) this.error(id, plain);
  }

  #unpack(batch: Uint8Array): void {
    for (const run of this.#packr.unpack(batch) as Run[]) this.#take(run);
    if (this.#taken < acknowledgeEvery) return;
    this.#outgoing.push([taken, this.#taken]);
    this.#taken = 0;
    this.#gather();
  }

  #take(run: Run): void {
    switch (run[0]) {
      case tells: {
        const [, payloads, kind, key, type, trace] = run;
        this.#taken += payloads.length;
        const traceparent = trace ?? undefined;
        for (const payload of payloads) {
          this.#receiver.tell(kind, key, type, payload, traceparent);
        }
        return;
      }
      case asks: {
        const [, payloads, kind, key, type, trace, mail, ids] = run;
        this.#taken += payloads.length;
        const traceparent = trace ?? undefined;
        for (let index = 0; index < ids.length; index += 1) {
          const payload = payloads[index];
          const question = { kind, key, type, payload, traceparent, mail };
          this.#receiver.ask(ids[index] as number, question);
        }
        return;
      }
      case values: {
        const [, answers, ids] = run;
        for (let index = 0; index < ids.length; index += 1) {
          this.#receiver.value(ids[index] as number, answers[index]);
        }
        return;
      }
      case failure:
        this.#receiver.error(run[1], run[2]);
        return;
      case taken:
        this.#inFlight -= run[1];
        return;
      case control:
        this.#receiver.control(run[1], run[2]);
    }
  }
}
