import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { decodeErrorDetail, errorDetailTrailer } from '../../agent/protocol/error-detail.ts';

const frameHeaderLength = 5;
const connectTimeoutMs = 10_000;

export interface ChannelTarget {
  readonly host: string;
  readonly port: number;
  readonly context: SecureContext;
}

/** A refusal or a broken connection, by the code that the report counts it under. */
export class CallError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The request headers of each method, made once for all envoys. */
const requestHeaders = new Map<string, OutgoingHttpHeaders>();

function headersOf(path: string): OutgoingHttpHeaders {
  const known = requestHeaders.get(path);
  if (known) return known;
  const made: OutgoingHttpHeaders = {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  requestHeaders.set(path, made);
  return made;
}

/** One simulated envoy's connection: unary gRPC over HTTP/2 over TLS 1.3 (gRPC over HTTP/2 spec). */
export class Channel {
  readonly #session: ClientHttp2Session;
  #call: Call | undefined;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
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
      });
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
        const session = connect(`https://localhost:${target.port}`, {
          createConnection: () => socket,
          settings: { enablePush: false, headerTableSize: 0 },
        });
        session.on('error', () => {});
        resolve(new Channel(session));
      });
    });
  }

  get closed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** One call at a time. `deadlineMs`: on the clock of `performance.now`; see `expire`. */
  call(path: string, message: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    const frame = Buffer.allocUnsafe(frameHeaderLength + message.length);
    frame[0] = 0;
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, frameHeaderLength);
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new CallError('DISCONNECTED', 'the connection is closed'));
      const stream = this.#session.request(headersOf(path));
      this.#call = new Call(stream, deadlineMs, resolve, reject);
      stream.end(frame);
    });
  }

  /** Cancels the call under way when its deadline has passed. Cheaper than a timer per call. */
  expire(nowMs: number): void {
    if (this.#call && nowMs > this.#call.deadlineMs) this.#call.expire();
  }

  close(): void {
    this.#session.destroy();
  }
}

/** "CONNECT_ECONNREFUSED" and the like, so that a report tells a full backlog from a dead server. */
function connectCode(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? 'CONNECT' : `CONNECT_${code}`;
}

class Call {
  readonly deadlineMs: number;
  readonly #stream: ClientHttp2Stream;
  readonly #resolve: (message: Uint8Array) => void;
  readonly #reject: (error: CallError) => void;
  #chunk: Buffer | undefined;
  #status: string | undefined;
  #detail: string | undefined;
  #expired = false;

  constructor(
    stream: ClientHttp2Stream,
    deadlineMs: number,
    resolve: (message: Uint8Array) => void,
    reject: (error: CallError) => void,
  ) {
    this.#stream = stream;
    this.deadlineMs = deadlineMs;
    this.#resolve = resolve;
    this.#reject = reject;
    const readStatus = (headers: Record<string, unknown>) => this.#readStatus(headers);
    stream.on('response', readStatus);
    stream.on('trailers', readStatus);
    stream.on('data', (chunk: Buffer) => {
      this.#chunk = this.#chunk ? Buffer.concat([this.#chunk, chunk]) : chunk;
    });
    stream.on('error', () => {});
    stream.on('close', () => this.#closed());
  }

  expire(): void {
    this.#expired = true;
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #readStatus(headers: Record<string, unknown>): void {
    this.#status ??= headers['grpc-status'] as string | undefined;
    this.#detail ??= headers[errorDetailTrailer] as string | undefined;
  }

  #closed(): void {
    if (this.#status === '0' && this.#chunk) {
      this.#resolve(this.#chunk.subarray(frameHeaderLength));
    } else if (this.#expired) {
      this.#reject(new CallError('DEADLINE', 'no answer in time'));
    } else this.#reject(refusal(this.#status, this.#detail));
  }
}

function refusal(status: string | undefined, detail: string | undefined): CallError {
  const decoded = detail && decodeErrorDetail(Buffer.from(detail, 'base64'));
  if (decoded) return new CallError(decoded.code, decoded.message);
  return new CallError(status === undefined ? 'DISCONNECTED' : `GRPC_${status}`, 'no detail');
}
