import type { RequestSequence } from './offline/sequence.ts';
import type { AgentClock } from './platform/platform.ts';
import { decodeMessage, encodeMessage, type MessageType } from './protocol/codec.ts';
import type { Signer } from './protocol/crypto.ts';
import {
  type BodyOf,
  envelope,
  methods,
  type ResponseOf,
  type SignedMethodName,
} from './protocol/methods.ts';
import { RequestSigner } from './protocol/request.ts';
import { formatTraceparent, type TraceContext } from './protocol/traceparent.ts';
import type { Channel } from './transport.ts';

/** A server that has not answered by then counts as away. */
export const callDeadlineMs = 30_000;

/** At the least, however short the interval is. */
export const patienceFloorMs = 5000;
/** A slower link carries no requests in time, bytes per millisecond. */
const slowestLink = 16;

/** How long an answer is worth waiting for at this pace, milliseconds. */
export function patienceOf(intervalMs: number): number {
  return Math.min(callDeadlineMs, Math.max(patienceFloorMs, intervalMs));
}

/** Signed calls of one envoy. */
export class ServerClient {
  readonly #channel: Channel;
  readonly #envoyId: Uint8Array;
  readonly #signer: RequestSigner;
  readonly #sequence: RequestSequence;
  readonly #clock: AgentClock;
  #patienceMs = callDeadlineMs;
  #hurryMs = Number.POSITIVE_INFINITY;

  constructor(parts: {
    readonly channel: Channel;
    /** 16 bytes. */
    readonly envoyId: Uint8Array;
    readonly signer: Signer;
    readonly sequence: RequestSequence;
    readonly clock: AgentClock;
  }) {
    this.#channel = parts.channel;
    this.#envoyId = parts.envoyId;
    this.#signer = new RequestSigner(parts.signer);
    this.#sequence = parts.sequence;
    this.#clock = parts.clock;
  }

  /**
   * While a call waits, no pass runs: a server that went away without a word must not cost more than
   * an interval.
   */
  pace(intervalMs: number): void {
    this.#patienceMs = patienceOf(intervalMs);
  }

  /** What else is due waits no longer than this for an answer, until told otherwise. */
  hurry(limitMs: number): void {
    this.#hurryMs = limitMs;
  }

  /** Throws what Channel.call does, PROTOCOL_TOO_LARGE and PROTOCOL_MALFORMED. */
  async call<Name extends SignedMethodName>(
    name: Name,
    body: BodyOf<Name>,
    trace: TraceContext,
  ): Promise<ResponseOf<Name>> {
    const method = methods[name];
    const bodyType = method.body as unknown as MessageType<BodyOf<Name>>;
    const responseType = method.response as unknown as MessageType<ResponseOf<Name>>;
    const header = {
      envoyId: this.#envoyId,
      timestampMs: this.#clock.nowMs(),
      sequence: await this.#sequence.next(),
      traceparent: formatTraceparent(trace),
    };
    const request = this.#signer.sign(
      name,
      header,
      encodeMessage(bodyType, body, method.bodyLimit),
    );
    const message = encodeMessage(envelope, request, method.requestLimit);
    const answer = await this.#channel.call(method.path, message, {
      deadlineMs: callDeadlineMs,
      answerWithinMs:
        Math.min(this.#patienceMs, this.#hurryMs) + Math.ceil(message.length / slowestLink),
      responseLimit: method.responseLimit,
    });
    return decodeMessage(responseType, answer, method.responseLimit);
  }

  close(): void {
    this.#channel.close();
  }
}
