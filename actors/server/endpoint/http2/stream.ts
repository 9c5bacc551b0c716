import {
  errorCode,
  flag,
  frameHeaderLength,
  frameLimit,
  frameType,
  resetFrame,
  windowFrame,
  windowMax,
  writeFrameHeader,
} from './frames.ts';
import { streamWindow } from './limits.ts';
import type { Output } from './output.ts';
import type { RequestHead } from './request-head.ts';

/** Takes the body of one request, and hears when nobody waits for its answer any more. */
export interface BodySink {
  data(bytes: Buffer): void;
  end(): void;
  /** True when the answer is still to come: `respond` is then called in vain. */
  cancelled(): boolean;
}

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly output: Output;
  /** Answers, as far as both windows and the socket have room. */
  pump(stream: Stream): void;
  /** The stream is over; `isUnanswered` = its call is still under way. */
  closed(stream: Stream, isUnanswered: boolean): void;
  /** A frame of an answer went out, to which the peer will reply by frames of its own. */
  sent(): void;
  /** The answer of a stream that was over came after all. */
  settled(): void;
}

interface Answer {
  readonly body: Uint8Array;
  readonly trailers: Buffer;
  /** Bytes of the body that are out. */
  sent: number;
}

/** One request and its answer. Header blocks given to it are packed already. */
export class Stream {
  readonly id: number;
  readonly head: RequestHead;
  readonly #owner: StreamOwner;
  sink: BodySink | undefined;
  /** Body bytes that the peer takes on this stream. */
  sendWindow: number;
  isOpen = true;
  /** The peer has sent all of the request. */
  isComplete = false;
  #received = 0;
  /** Bytes that may come before the peer has to be given more. */
  #receiveWindow = streamWindow;
  #answer: Answer | undefined;
  /** The peer left while the request was being served. */
  #isLingering = false;

  constructor(id: number, head: RequestHead, owner: StreamOwner, sendWindow: number) {
    this.id = id;
    this.head = head;
    this.#owner = owner;
    this.sendWindow = sendWindow;
  }

  /** True while the peer has to do something for this stream: send, or read. */
  get waitsForPeer(): boolean {
    return !this.isComplete || this.#answer !== undefined;
  }

  /** Body bytes; `cost` counts the padding too. False when they are more than was allowed. */
  receive(bytes: Buffer, cost: number): boolean {
    this.#receiveWindow -= cost;
    if (this.#receiveWindow < 0) return false;
    this.#received += bytes.length;
    this.sink?.data(bytes);
    if (this.isOpen && !this.isComplete && this.#receiveWindow < streamWindow / 2) {
      this.#owner.output.write(windowFrame(this.id, streamWindow - this.#receiveWindow));
      this.#receiveWindow = streamWindow;
    }
    return true;
  }

  /** The request is complete. False when it has another length than was announced. */
  complete(): boolean {
    this.isComplete = true;
    const { contentLength } = this.head;
    if (contentLength !== -1 && contentLength !== this.#received) return false;
    this.sink?.end();
    return true;
  }

  /** False when the window overflows. */
  addWindow(credit: number): boolean {
    this.sendWindow += credit;
    return this.sendWindow <= windowMax;
  }

  /** Headers, body and trailers. The answer to a peer that has left is dropped. */
  respond(headBlock: Buffer, body: Uint8Array, trailers: Buffer): void {
    if (!this.isOpen) {
      this.#settle();
      return;
    }
    const { output } = this.#owner;
    const head = output.block(headBlock);
    const { length } = body;
    const atOnce =
      length <= frameLimit &&
      length <= this.sendWindow &&
      length <= output.window &&
      output.hasRoom;
    if (!atOnce) {
      output.write(headersFrame(this.id, head, 0));
      this.#answer = { body, trailers, sent: 0 };
      this.#owner.pump(this);
      return;
    }
    const total = 3 * frameHeaderLength + head.length + length + trailers.length;
    const frames = Buffer.allocUnsafe(total);
    let at = writeFrameHeader(frames, 0, head.length, frameType.headers, flag.endHeaders, this.id);
    frames.set(head, at);
    at = writeFrameHeader(frames, at + head.length, length, frameType.data, 0, this.id);
    frames.set(body, at);
    at = writeFrameHeader(frames, at + length, trailers.length, frameType.headers, last, this.id);
    frames.set(trailers, at);
    this.sendWindow -= length;
    output.window -= length;
    output.write(frames);
    this.#finish();
  }

  /** An answer that is headers only. */
  respondHead(head: Buffer): void {
    if (!this.isOpen) {
      this.#settle();
      return;
    }
    const { output } = this.#owner;
    output.write(headersFrame(this.id, output.block(head), flag.endStream));
    this.#finish();
  }

  /** Sends a part of the answer that waits; false when nothing could be sent, or all is. */
  sendSome(): boolean {
    const answer = this.#answer;
    const { output } = this.#owner;
    if (answer === undefined || !output.hasRoom) return false;
    const left = answer.body.length - answer.sent;
    const length = Math.min(left, frameLimit, this.sendWindow, output.window);
    if (length <= 0 && left > 0) return false;
    const frame = Buffer.allocUnsafe(frameHeaderLength + length);
    const at = writeFrameHeader(frame, 0, length, frameType.data, 0, this.id);
    frame.set(answer.body.subarray(answer.sent, answer.sent + length), at);
    answer.sent += length;
    this.sendWindow -= length;
    output.window -= length;
    output.write(frame);
    this.#owner.sent();
    if (length < left) return true;
    this.#answer = undefined;
    output.write(headersFrame(this.id, output.block(answer.trailers), flag.endStream));
    this.#finish();
    return false;
  }

  /** Ends the stream from our side. */
  reset(code: number): void {
    if (!this.isOpen) return;
    this.#owner.output.write(resetFrame(this.id, code));
    this.leave();
  }

  /** The peer has left, or the connection has. */
  leave(): void {
    if (!this.isOpen) return;
    this.#answer = undefined;
    this.isOpen = false;
    this.#isLingering = this.sink?.cancelled() === true;
    this.#owner.closed(this, this.#isLingering);
  }

  #finish(): void {
    // The peer need not send what nobody will read (RFC 9113, section 8.1).
    if (!this.isComplete) this.#owner.output.write(resetFrame(this.id, errorCode.none));
    this.isOpen = false;
    this.#owner.closed(this, false);
  }

  #settle(): void {
    if (!this.#isLingering) return;
    this.#isLingering = false;
    this.#owner.settled();
  }
}

const last = flag.endHeaders | flag.endStream;

function headersFrame(streamId: number, block: Buffer, flags: number): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderLength + block.length);
  const allFlags = flags | flag.endHeaders;
  const at = writeFrameHeader(frame, 0, block.length, frameType.headers, allFlags, streamId);
  frame.set(block, at);
  return frame;
}
