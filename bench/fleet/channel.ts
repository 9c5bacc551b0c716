import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { decodeErrorDetail, errorDetailTrailer } from '../../agent/protocol/error-detail.ts';

const frameHeaderLength = 5;
const requestTimeoutMs = 30_000;

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

/** One simulated envoy's connection: unary gRPC over HTTP/2 over TLS 1.3 (gRPC over HTTP/2 spec). */
export class Channel {
  readonly #session: ClientHttp2Session;

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
      socket.once('error', (error) => reject(new CallError('CONNECT', error.message)));
      socket.once('secureConnect', () => {
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

  call(path: string, message: Uint8Array): Promise<Uint8Array> {
    const frame = Buffer.allocUnsafe(frameHeaderLength + message.length);
    frame[0] = 0;
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, frameHeaderLength);
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new CallError('DISCONNECTED', 'the connection is closed'));
      const stream = this.#session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      collect(stream, resolve, reject);
      stream.end(frame);
    });
  }

  close(): void {
    this.#session.destroy();
  }
}

function collect(
  stream: ClientHttp2Stream,
  resolve: (message: Uint8Array) => void,
  reject: (error: CallError) => void,
): void {
  const chunks: Buffer[] = [];
  let status: string | undefined;
  let detail: string | undefined;
  const readStatus = (headers: Record<string, unknown>) => {
    status ??= headers['grpc-status'] as string | undefined;
    detail ??= headers[errorDetailTrailer] as string | undefined;
  };
  stream.setTimeout(requestTimeoutMs, () => stream.close());
  stream.on('response', readStatus);
  stream.on('trailers', readStatus);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => {});
  stream.on('close', () => {
    if (status === '0') resolve(Buffer.concat(chunks).subarray(frameHeaderLength));
    else reject(refusal(status, detail));
  });
}

function refusal(status: string | undefined, detail: string | undefined): CallError {
  const decoded = detail && decodeErrorDetail(Buffer.from(detail, 'base64'));
  if (decoded) return new CallError(decoded.code, decoded.message);
  return new CallError(status === undefined ? 'DISCONNECTED' : `GRPC_${status}`, 'no detail');
}
