import { decodeErrorDetail, errorDetailTrailer } from '../../agent/protocol/error-detail.ts';
import { CallError } from './call-error.ts';
import {
  ack,
  cancelFrame,
  creditFrame,
  endStream,
  frame,
  frameHeaderLength,
  frameType,
  greeting,
  messagePrefix,
  receiveWindow,
  settingsAck,
  streamIdAt,
} from './http2-frames.ts';
import { headersOf } from './http2-headers.ts';
import { type ConnectionSink, type ConnectTarget, TlsConnection } from './tls-connection.ts';

/** Credit is given again when so much of the window is used. */
const creditAfter = receiveWindow / 2;

/** Who waits for an answer. Of the two, one is called, once. */
export interface CallSink {
  /** The message lies in `bytes` between `from` and `to`, and only during this call. */
  answered(bytes: Buffer, from: number, to: number): void;
  failed(error: CallError): void;
}

/**
 * One simulated envoy's connection: unary gRPC over HTTP/2 over TLS 1.3, one call at a time. The
 * framing is our own, as the server's is: Node's client costs more than all the rest of an envoy.
 */
export class Channel implements ConnectionSink {
  readonly #connection: TlsConnection;
  #sink: CallSink | undefined;
  #streamId = 0;
  #deadlineMs = 0;
  #nextStream = 1;
  /** The beginning of a frame whose rest has not come yet. */
  #rest: Buffer | undefined;
  /** Where the answer's data lies; in several frames it is put together in a buffer of its own. */
  #body: Buffer | undefined;
  #from = 0;
  #to = 0;
  #headers: ReadonlyMap<string, string> | undefined;
  #taken = 0;
  #isClosed = false;

  private constructor(connection: TlsConnection) {
    this.#connection = connection;
    connection.readBy(this);
    connection.write(greeting);
  }

  static async open(target: ConnectTarget): Promise<Channel> {
    return new Channel(await TlsConnection.open(target));
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /** The handshake was a short one. */
  get resumed(): boolean {
    return this.#connection.resumed;
  }

  /** Of the call that is sent next. */
  get nextStream(): number {
    return this.#nextStream;
  }

  /**
   * Sends a request whose frames are laid out for `nextStream`. `deadlineMs`: on the clock of
   * `performance.now`; see `expire`.
   */
  send(frames: Buffer, deadlineMs: number, sink: CallSink): void {
    if (this.#isClosed) {
      sink.failed(new CallError('DISCONNECTED', 'the connection is closed'));
      return;
    }
    this.#streamId = this.#nextStream;
    this.#nextStream += 2;
    this.#forget();
    this.#deadlineMs = deadlineMs;
    this.#sink = sink;
    this.#connection.write(frames);
  }

  /** Cancels the call under way when its deadline has passed. Cheaper than a timer per call. */
  expire(nowMs: number): void {
    if (this.#sink === undefined || nowMs <= this.#deadlineMs) return;
    this.#connection.write(cancelFrame(this.#streamId));
    this.#fail('DEADLINE', 'no answer in time');
  }

  close(): void {
    this.#isClosed = true;
    this.#connection.destroy();
  }

  ended(): void {
    this.#isClosed = true;
    this.#fail('DISCONNECTED', 'the connection ended');
  }

  #fail(code: string, message: string): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#streamId = 0;
    sink?.failed(new CallError(code, message));
  }

  read(chunk: Buffer, length: number): void {
    const rest = this.#rest;
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk.subarray(0, length)]);
    const last = rest === undefined ? length : bytes.length;
    let at = 0;
    while (last - at >= frameHeaderLength) {
      const size = bytes.readUIntBE(at, 3);
      const end = at + frameHeaderLength + size;
      if (end > last) break;
      this.#frame(bytes, at, end);
      at = end;
    }
    this.#rest = at === last ? undefined : Buffer.from(bytes.subarray(at, last));
    // The next record is opened into the same buffer.
    if (this.#body === chunk) this.#keepBody();
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3];
    const flags = bytes[at + 4] ?? 0;
    const from = at + frameHeaderLength;
    if (type === frameType.settings) {
      if ((flags & ack) === 0) this.#connection.write(settingsAck);
    } else if (type === frameType.ping) {
      if ((flags & ack) !== 0) return;
      this.#connection.write(frame(frameType.ping, ack, 0, bytes.subarray(from, end)));
    } else if (type === frameType.goAway) this.#leave();
    else if (this.#streamId !== 0 && bytes.readUInt32BE(at + streamIdAt) === this.#streamId) {
      this.#ofCall(type, flags, bytes, from, end);
    } else if (type === frameType.data) this.#credit(end - from);
  }

  #ofCall(type: number | undefined, flags: number, bytes: Buffer, from: number, to: number): void {
    if (type === frameType.data) {
      this.#credit(to - from);
      if (this.#body === undefined) {
        this.#body = bytes;
        this.#from = from;
        this.#to = to;
      } else {
        const before = this.#body.subarray(this.#from, this.#to);
        this.#body = Buffer.concat([before, bytes.subarray(from, to)]);
        this.#from = 0;
        this.#to = this.#body.length;
      }
    } else if (type === frameType.headers) {
      const headers = headersOf(bytes, from, to);
      if (headers?.has('grpc-status')) this.#headers = headers;
    } else if (type === frameType.resetStream) {
      this.#fail('DISCONNECTED', 'the server reset the call');
      return;
    }
    if ((flags & endStream) !== 0) this.#answered();
  }

  /** Out of the buffer of records, while the end of the answer has not come. */
  #keepBody(): void {
    this.#body = this.#body && Buffer.from(this.#body.subarray(this.#from, this.#to));
    this.#from = 0;
    this.#to = this.#body?.length ?? 0;
  }

  #forget(): void {
    this.#body = undefined;
    this.#headers = undefined;
  }

  /** The server has asked us to go: at once, or after the call under way. */
  #leave(): void {
    this.#isClosed = true;
    if (this.#sink === undefined) this.#connection.destroy();
  }

  #credit(length: number): void {
    this.#taken += length;
    if (this.#taken < creditAfter) return;
    this.#connection.write(creditFrame(this.#taken));
    this.#taken = 0;
  }

  #answered(): void {
    const sink = this.#sink;
    const body = this.#body;
    const headers = this.#headers;
    this.#sink = undefined;
    this.#streamId = 0;
    this.#forget();
    const status = headers?.get('grpc-status');
    if (status === '0' && body !== undefined) {
      sink?.answered(body, this.#from + messagePrefix, this.#to);
    } else sink?.failed(refusal(status, headers?.get(errorDetailTrailer)));
    if (this.#isClosed) this.#connection.destroy();
  }
}

function refusal(status: string | undefined, detail: string | undefined): CallError {
  const decoded = detail && decodeErrorDetail(Buffer.from(detail, 'base64'));
  if (decoded) return new CallError(decoded.code, decoded.message, decoded.retryAfterMs);
  return new CallError(status === undefined ? 'DISCONNECTED' : `GRPC_${status}`, 'no detail');
}
