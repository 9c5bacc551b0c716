import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { encodeErrorDetail, errorDetailTrailer } from '../../../agent/protocol/error-detail.ts';
import type { TestAuthority } from '../../support/test-authority.ts';

/** What a handler refuses with. */
export interface FakeRefusal {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  readonly retryAfterMs?: number;
}

/** An answer that no honest server gives, down to its HTTP status and trailers. */
export interface FakeNonsense {
  readonly http: number;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly trailers: Readonly<Record<string, string>>;
}

export type FakeHandler = (
  request: Uint8Array,
) => Uint8Array | FakeRefusal | FakeNonsense | 'hang' | 'reset';

/**
 * FakeAgentServer: the agents' endpoint as gRPC over TLS, with answers that a test dictates. Real
 * TLS, HTTP/2 and framing; no domain behind them.
 */
export class FakeAgentServer {
  readonly handlers = new Map<string, FakeHandler>();
  readonly calls: string[] = [];
  /** Connections that resumed a TLS session. */
  resumed = 0;
  readonly #server: Http2SecureServer;
  readonly #sessions = new Set<{ destroy(): void }>();

  private constructor(server: Http2SecureServer) {
    this.#server = server;
    server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('error', () => undefined);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => this.#answer(stream, String(headers[':path']), Buffer.concat(chunks)));
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
    server.on('sessionError', () => undefined);
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.isSessionReused()) this.resumed += 1;
    });
  }

  static async start(
    { authority, serverCertificate, serverKey }: TestAuthority,
    options: { port?: number; withoutChain?: boolean } = {},
  ): Promise<FakeAgentServer> {
    const server = createSecureServer({
      key: serverKey,
      cert: options.withoutChain
        ? serverCertificate
        : `${serverCertificate}\n${authority.certificatePem}`,
      ...(options.withoutChain ? {} : { ca: authority.certificatePem }),
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    });
    await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return new FakeAgentServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Ends every connection, and goes on listening. */
  dropAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.dropAll();
    await closed;
  }

  #answer(stream: ServerHttp2Stream, path: string, framed: Buffer): void {
    this.calls.push(path);
    const answer = this.handlers.get(path)?.(framed.subarray(5)) ?? unimplemented;
    if (answer === 'hang') return;
    if (answer === 'reset') {
      stream.close(2);
      return;
    }
    if ('http' in answer) {
      respondNonsense(stream, answer);
      return;
    }
    const head = { ':status': 200, 'content-type': 'application/grpc' };
    if (!(answer instanceof Uint8Array)) {
      const detail = encodeErrorDetail({ ...answer, message: answer.message ?? 'refused' });
      stream.respond(
        {
          ...head,
          'grpc-status': String(answer.status),
          'grpc-message': 'refused%21',
          ...(answer.code === '' ? {} : { [errorDetailTrailer]: base64(detail) }),
        },
        { endStream: true },
      );
      return;
    }
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(answer.length, 1);
    stream.end(Buffer.concat([prefix, answer]));
  }
}

function respondNonsense(stream: ServerHttp2Stream, answer: FakeNonsense): void {
  const head = { ':status': answer.http, 'content-type': answer.contentType };
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ ...answer.trailers }));
  stream.end(answer.bytes);
}

const unimplemented: FakeRefusal = { status: 12, code: '' };

/** As gRPC writes it: without padding. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
