import * as http2 from 'node:http2';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { AgentError } from '../errors.ts';
import type { ServerPin } from '../identity/server-pin.ts';
import { decodeErrorDetail, errorDetailTrailer } from '../protocol/error-detail.ts';
import { type CallOptions, type Channel, grpcStatus, ServerRefusal } from '../transport.ts';
import { verifyPinnedServer } from './server-trust.ts';

export type ServerCredentials =
  /** Before registration: nothing of our own to show, the server known by its pin. */
  | { readonly kind: 'pinned'; readonly pin: ServerPin }
  /** PEM texts; the server's certificate must be issued by `authority`. */
  | {
      readonly kind: 'mutual';
      readonly authority: string;
      readonly certificate: string;
      readonly key: string;
    };

const framePrefixLength = 5;
const connectTimeoutMs = 10_000;

/**
 * Unary gRPC over one persistent HTTP/2 session on TLS 1.3
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). A lost session is made anew by
 * the next call; a call that ran into its deadline ends the session, since it may be dead.
 */
export class GrpcChannel implements Channel {
  readonly #host: string;
  readonly #port: number;
  readonly #credentials: ServerCredentials;
  #session: Promise<http2.ClientHttp2Session> | undefined;
  /** The latest TLS session: a server that was started again takes it up without certificates. */
  #ticket: Buffer | undefined;

  constructor(host: string, port: number, credentials: ServerCredentials) {
    this.#host = host;
    this.#port = port;
    this.#credentials = credentials;
  }

  async call(path: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const session = await this.#connected(options.answerWithinMs);
    try {
      return await exchange(session, path, request, options);
    } catch (cause) {
      if (cause instanceof AgentError) throw cause;
      // The session ended between two calls and says so by throwing.
      throw new AgentError('AGENT_SERVER_UNREACHABLE', String(cause), { cause });
    }
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.then((open) => open.destroy()).catch(() => undefined);
  }

  async #connected(withinMs = connectTimeoutMs): Promise<http2.ClientHttp2Session> {
    if (this.#session !== undefined) {
      const session = await this.#session;
      if (!session.destroyed && !session.closed) return session;
    }
    const opening = this.#open(Math.min(withinMs, connectTimeoutMs));
    this.#session = opening;
    const forget = (): void => {
      if (this.#session === opening) this.#session = undefined;
    };
    opening.then((session) => session.once('close', forget).once('goaway', forget), forget);
    return opening;
  }

  async #open(withinMs: number): Promise<http2.ClientHttp2Session> {
    const socket = await openTls(this.#host, this.#port, this.#credentials, {
      withinMs,
      ...(this.#ticket === undefined ? {} : { session: this.#ticket }),
      onSession: (session) => {
        this.#ticket = session;
      },
    });
    const session = http2.connect(`https://${authority(this.#host, this.#port)}`, {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    // Failures reach each call through its stream; the session's own event must have a listener.
    session.on('error', () => session.destroy());
    return session;
  }
}

function authority(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

interface Resumption {
  readonly withinMs: number;
  readonly session?: Buffer;
  readonly onSession: (session: Buffer) => void;
}

function openTls(
  host: string,
  port: number,
  credentials: ServerCredentials,
  { withinMs, session, onSession }: Resumption,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(credentials.kind === 'mutual'
        ? {
            ca: credentials.authority,
            cert: credentials.certificate,
            key: credentials.key,
            ...(session === undefined ? {} : { session }),
          }
        : { rejectUnauthorized: false }),
    });
    // The pin is compared in every handshake: there is nothing to resume before registration.
    if (credentials.kind === 'mutual') socket.on('session', onSession);
    const fail = (error: AgentError): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(withinMs, () => fail(new AgentError('AGENT_SERVER_TIMEOUT')));
    socket.once('error', (cause: Error) => fail(connectionError(cause, host, port)));
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      try {
        if (credentials.kind === 'pinned') verifyPinnedServer(socket, host, credentials.pin);
        if (socket.alpnProtocol !== 'h2')
          throw new AgentError('AGENT_SERVER_ANSWER', 'it does not speak HTTP/2');
        resolve(socket);
      } catch (error) {
        fail(error instanceof AgentError ? error : connectionError(error, host, port));
      }
    });
  });
}

/** OpenSSL's and Node's names for "this is not the server that the CA vouches for". */
const trustFailures =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS_CERT_ALTNAME_INVALID/;

function connectionError(cause: unknown, host: string, port: number): AgentError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const where = `${authority(host, port)}: ${code}`;
  if (trustFailures.test(code) && !code.includes('ALERT'))
    return new AgentError('AGENT_SERVER_PIN_MISMATCH', where, { cause });
  return new AgentError('AGENT_SERVER_UNREACHABLE', where, { cause });
}

function exchange(
  session: http2.ClientHttp2Session,
  path: string,
  request: Uint8Array,
  options: CallOptions,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${Math.ceil(options.deadlineMs)}m`,
      'user-agent': 'vigo',
    });
    const answer = new AnswerReader(options.responseLimit);
    const settle = (action: () => void): void => {
      clearTimeout(deadline);
      clearTimeout(patience);
      action();
    };
    const fail = (error: AgentError): void => {
      settle(() => reject(error));
      stream.close(http2.constants.NGHTTP2_CANCEL);
    };
    const limit = (ms: number) =>
      setTimeout(() => {
        fail(new AgentError('AGENT_SERVER_TIMEOUT', `${path}, ${ms} ms`));
        session.destroy();
      }, ms);
    const deadline = limit(options.deadlineMs);
    const patience = limit(options.answerWithinMs ?? options.deadlineMs);
    stream.on('response', (headers) => {
      clearTimeout(patience);
      answer.head(headers);
    });
    stream.on('trailers', (headers) => answer.trailers(headers));
    stream.on('data', (chunk: Buffer) => {
      if (!answer.data(chunk)) fail(new AgentError('PROTOCOL_TOO_LARGE', `answer to ${path}`));
    });
    stream.once('error', (cause: Error) =>
      fail(new AgentError('AGENT_SERVER_UNREACHABLE', cause.message, { cause })),
    );
    stream.once('close', () =>
      settle(() => {
        const result = answer.result(path);
        if (result instanceof AgentError) reject(result);
        else resolve(result);
      }),
    );
    stream.end(frame(request));
  });
}

function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(framePrefixLength + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, framePrefixLength);
  return framed;
}

class AnswerReader {
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #httpStatus = 0;
  #contentType = '';
  #status: number | undefined;
  #message = '';
  #detail: Uint8Array | undefined;

  constructor(responseLimit: number) {
    this.#limit = responseLimit + framePrefixLength;
  }

  head(headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader): void {
    this.#httpStatus = headers[':status'] ?? 0;
    this.#contentType = headers['content-type'] ?? '';
    this.trailers(headers);
  }

  /** An answer without a body carries these among its headers. */
  trailers(headers: http2.IncomingHttpHeaders): void {
    const status = headers['grpc-status'];
    if (status !== undefined) this.#status = Number(status);
    const message = headers['grpc-message'];
    if (typeof message === 'string') this.#message = percentDecoded(message);
    const detail = headers[errorDetailTrailer];
    if (typeof detail === 'string') this.#detail = Buffer.from(detail, 'base64');
  }

  /** False when the answer is larger than allowed. */
  data(chunk: Buffer): boolean {
    this.#length += chunk.length;
    if (this.#length > this.#limit) return false;
    this.#chunks.push(chunk);
    return true;
  }

  result(path: string): Uint8Array | AgentError {
    if (this.#httpStatus === 0)
      return new AgentError('AGENT_SERVER_UNREACHABLE', `the connection ended during ${path}`);
    if (this.#httpStatus !== 200 || !this.#contentType.startsWith('application/grpc'))
      return new AgentError('AGENT_SERVER_ANSWER', `HTTP ${this.#httpStatus} ${this.#contentType}`);
    if (this.#status === undefined)
      return new AgentError('AGENT_SERVER_UNREACHABLE', `the answer to ${path} was cut off`);
    if (this.#status !== 0) return this.#refusal(this.#status);
    const body = Buffer.concat(this.#chunks);
    if (body.length < framePrefixLength || body[0] !== 0)
      return new AgentError('PROTOCOL_MALFORMED', `the answer to ${path} is not framed`);
    if (body.readUInt32BE(1) !== body.length - framePrefixLength)
      return new AgentError('PROTOCOL_MALFORMED', `the answer to ${path} is not one message`);
    return body.subarray(framePrefixLength);
  }

  #refusal(status: number): AgentError {
    const detail = this.#detail === undefined ? undefined : decodeErrorDetail(this.#detail);
    if (detail === undefined && status === grpcStatus.unavailable)
      return new AgentError('AGENT_SERVER_UNREACHABLE', this.#message);
    if (detail === undefined && status === grpcStatus.deadlineExceeded)
      return new AgentError('AGENT_SERVER_TIMEOUT', this.#message);
    return new ServerRefusal(status, this.#message, detail);
  }
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
