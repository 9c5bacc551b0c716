import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
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
  requestFrames,
  settingsAck,
} from './http2-frames.ts';
import { readHeaders, requestHead } from './http2-headers.ts';

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

interface Call {
  readonly streamId: number;
  readonly deadlineMs: number;
  readonly resolve: (message: Uint8Array) => void;
  readonly reject: (error: CallError) => void;
}

/**
 * One simulated envoy's connection: unary gRPC over HTTP/2 over TLS 1.3, one call at a time. The
 * framing is our own, as the server's is: Node's client costs more than all the rest of an envoy.
 */
export class Channel {
  readonly #socket: TLSSocket;
  #call: Call | undefined;
  #nextStream = 1;
  /** The beginning of a frame whose rest has not come yet. */
  #rest: Buffer | undefined;
  #body: Buffer | undefined;
  #headers: Map<string, string> | undefined;
  #taken = 0;
  #isClosed = false;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#ended());
    socket.write(greeting);
  }

  static open(target: ChannelTarget): Promise<Channel> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({
        host: target.host,
        port: target.port,
        secureContext: target.context,
        servername: 'localhost',
        ALPNProtocols: ['h2'],
        minVersion: 'TLSv1.3',
        ...(target.session === undefined ? {} : { session: target.session }),
      });
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
        resolve(new Channel(socket));
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

  /** `deadlineMs`: on the clock of `performance.now`; see `expire`. */
  call(path: string, message: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new CallError('DISCONNECTED', 'the connection is closed'));
        return;
      }
      const streamId = this.#nextStream;
      this.#nextStream += 2;
      this.#body = undefined;
      this.#headers = undefined;
      this.#call = { streamId, deadlineMs, resolve, reject };
      this.#socket.write(requestFrames(streamId, requestHead(path), message));
    });
  }

  /** Cancels the call under way when its deadline has passed. Cheaper than a timer per call. */
  expire(nowMs: number): void {
    const call = this.#call;
    if (call === undefined || nowMs <= call.deadlineMs) return;
    this.#call = undefined;
    if (this.#socket.writable) this.#socket.write(cancelFrame(call.streamId));
    call.reject(new CallError('DEADLINE', 'no answer in time'));
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
    const call = this.#call;
    this.#call = undefined;
    call?.reject(new CallError(code, message));
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= frameHeaderLength) {
      const length = bytes.readUIntBE(at, 3);
      const end = at + frameHeaderLength + length;
      if (end > bytes.length) break;
      this.#frame(bytes, at, bytes.subarray(at + frameHeaderLength, end));
      at = end;
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
  }

  #frame(bytes: Buffer, at: number, payload: Buffer): void {
    const type = bytes[at + 3];
    const flags = bytes[at + 4] ?? 0;
    if (type === frameType.settings) {
      if ((flags & ack) === 0) this.#socket.write(settingsAck);
    } else if (type === frameType.ping) {
      if ((flags & ack) === 0) this.#socket.write(frame(frameType.ping, ack, 0, payload));
    } else if (type === frameType.goAway) this.#leave();
    else if (bytes.readUInt32BE(at + 5) === this.#call?.streamId) {
      this.#ofCall(type, flags, payload);
    } else if (type === frameType.data) this.#credit(payload.length);
  }

  #ofCall(type: number | undefined, flags: number, payload: Buffer): void {
    if (type === frameType.data) {
      this.#credit(payload.length);
      this.#body = this.#body === undefined ? payload : Buffer.concat([this.#body, payload]);
    } else if (type === frameType.headers) {
      const headers = readHeaders(payload);
      if (headers?.has('grpc-status')) this.#headers = headers;
    } else if (type === frameType.resetStream) {
      this.#fail('DISCONNECTED', 'the server reset the call');
      return;
    }
    if ((flags & endStream) !== 0) this.#answered();
  }

  /** The server has asked us to go: at once, or after the call under way. */
  #leave(): void {
    this.#isClosed = true;
    if (this.#call === undefined) this.#socket.destroy();
  }

  #credit(length: number): void {
    this.#taken += length;
    if (this.#taken < creditAfter) return;
    this.#socket.write(creditFrame(this.#taken));
    this.#taken = 0;
  }

  #answered(): void {
    const call = this.#call;
    this.#call = undefined;
    const status = this.#headers?.get('grpc-status');
    if (status === '0' && this.#body !== undefined) {
      call?.resolve(this.#body.subarray(messagePrefix));
    } else call?.reject(refusal(status, this.#headers?.get(errorDetailTrailer)));
    this.#body = undefined;
    this.#headers = undefined;
    if (this.#isClosed) this.#socket.destroy();
  }
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
