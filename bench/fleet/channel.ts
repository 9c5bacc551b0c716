import type { SocketConstructorOpts } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { decodeErrorDetail, errorDetailTrailer } from '../../agent/protocol/error-detail.ts';
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
} from './http2-frames.ts';
import { headersOf } from './http2-headers.ts';

const connectTimeoutMs = 10_000;
/** Credit is given again when so much of the window is used. */
const creditAfter = receiveWindow / 2;

export interface ChannelTarget {
  readonly host: string;
  readonly port: number;
  readonly context: SecureContext;
  /** A TLS session of before, to be resumed. */
  readonly session?: Buffer;
  /** A session that may be resumed later. */
  readonly onSession?: (session: Buffer) => void;
}

/** A refusal or a broken connection, by the code that the report counts it under. */
export class CallError extends Error {
  readonly code: string;
  /** What the server asked for; 0 = nothing. Milliseconds. */
  readonly retryAfterMs: number;
  constructor(code: string, message: string, retryAfterMs = 0) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Who waits for an answer. Of the two, one is called, once. */
export interface CallSink {
  /** The message lies in `bytes` between `from` and `to`, and only during this call. */
  answered(bytes: Buffer, from: number, to: number): void;
  failed(error: CallError): void;
}

/** What Node.js reads into, for all connections of a thread: each reads it up before the next. */
const readBuffer = Buffer.allocUnsafe(65_536);

/**
 * One simulated envoy's connection: unary gRPC over HTTP/2 over TLS 1.3, one call at a time. The
 * framing is our own, as the server's is: Node's client costs more than all the rest of an envoy.
 */
export class Channel {
  readonly #socket: TLSSocket;
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

  private constructor(socket: TLSSocket, reader: Reader) {
    this.#socket = socket;
    reader.read = (bytes, length) => this.#read(bytes, length);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#ended());
    socket.write(greeting);
  }

  static open(target: ChannelTarget): Promise<Channel> {
    return new Promise((resolve, reject) => {
      const reader: Reader = { read: undefined };
      const options: ConnectionOptions & Pick<SocketConstructorOpts, 'onread'> = {
        host: target.host,
        port: target.port,
        secureContext: target.context,
        servername: 'localhost',
        ALPNProtocols: ['h2'],
        minVersion: 'TLSv1.3',
        onread: {
          buffer: readBuffer,
          callback: (length: number, bytes: Uint8Array) => {
            reader.read?.(bytes as Buffer, length);
            return true;
          },
        },
        ...(target.session === undefined ? {} : { session: target.session }),
      };
      const socket = connectTls(options);
      if (target.onSession !== undefined) socket.on('session', target.onSession);
      const fail = (code: string, message: string) => {
        socket.destroy();
        reject(new CallError(code, message));
      };
      socket.setTimeout(connectTimeoutMs, () => fail('CONNECT_TIMEOUT', 'no handshake'));
      socket.once('error', (error) => fail(connectCode(error), error.message));
      socket.once('close', () => fail('CONNECT', 'closed during the handshake'));
      socket.once('secureConnect', () => {
        socket.setTimeout(0);
        socket.removeAllListeners('close');
        socket.removeAllListeners('error');
        socket.setNoDelay(true);
        resolve(new Channel(socket, reader));
      });
    });
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /** The handshake was a short one. */
  get resumed(): boolean {
    return this.#socket.isSessionReused();
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
    this.#socket.write(frames);
  }

  /** Cancels the call under way when its deadline has passed. Cheaper than a timer per call. */
  expire(nowMs: number): void {
    if (this.#sink === undefined || nowMs <= this.#deadlineMs) return;
    if (this.#socket.writable) this.#socket.write(cancelFrame(this.#streamId));
    this.#fail('DEADLINE', 'no answer in time');
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #ended(): void {
    this.#isClosed = true;
    this.#fail('DISCONNECTED', 'the connection ended');
  }

  #fail(code: string, message: string): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#streamId = 0;
    sink?.failed(new CallError(code, message));
  }

  #read(chunk: Buffer, length: number): void {
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
    // The next connection reads into the same buffer.
    if (this.#body !== undefined) this.#keepBody();
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3];
    const flags = bytes[at + 4] ?? 0;
    const from = at + frameHeaderLength;
    if (type === frameType.settings) {
      if ((flags & ack) === 0) this.#socket.write(settingsAck);
    } else if (type === frameType.ping) {
      if ((flags & ack) !== 0) return;
      this.#socket.write(frame(frameType.ping, ack, 0, bytes.subarray(from, end)));
    } else if (type === frameType.goAway) this.#leave();
    else if (this.#streamId !== 0 && bytes.readUInt32BE(at + 5) === this.#streamId) {
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

  /** Out of the buffer that is read into, while the end of the answer has not come. */
  #keepBody(): void {
    if (this.#body?.buffer !== readBuffer.buffer) return;
    this.#body = Buffer.from(this.#body.subarray(this.#from, this.#to));
    this.#from = 0;
    this.#to = this.#body.length;
  }

  #forget(): void {
    this.#body = undefined;
    this.#headers = undefined;
  }

  /** The server has asked us to go: at once, or after the call under way. */
  #leave(): void {
    this.#isClosed = true;
    if (this.#sink === undefined) this.#socket.destroy();
  }

  #credit(length: number): void {
    this.#taken += length;
    if (this.#taken < creditAfter) return;
    this.#socket.write(creditFrame(this.#taken));
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
    if (this.#isClosed) this.#socket.destroy();
  }
}

/** Where a connection's bytes go, once somebody reads them. */
interface Reader {
  read: ((bytes: Buffer, length: number) => void) | undefined;
}

/** "CONNECT_ECONNREFUSED" and the like, so that a report tells a full backlog from a dead server. */
function connectCode(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? 'CONNECT' : `CONNECT_${code}`;
}

function refusal(status: string | undefined, detail: string | undefined): CallError {
  const decoded = detail && decodeErrorDetail(Buffer.from(detail, 'base64'));
  if (decoded) return new CallError(decoded.code, decoded.message, decoded.retryAfterMs);
  return new CallError(status === undefined ? 'DISCONNECTED' : `GRPC_${status}`, 'no detail');
}
