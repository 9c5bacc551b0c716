import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { pemSigner } from '../../agent/platform/crypto.ts';
import { decodeErrorDetail, errorDetailTrailer } from '../../agent/protocol/error-detail.ts';
import { CheckInRequest, ReportRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { type ErrorDetail, SignedRequest } from '../../agent/protocol/gen/vigo/v1/envelope.ts';
import {
  type BodyOf,
  methods,
  type ResponseOf,
  type SignedMethodName,
} from '../../agent/protocol/methods.ts';
import { RequestSigner } from '../../agent/protocol/request.ts';
import { uuidToBytes } from '../../agent/protocol/uuid.ts';

const callTimeoutMs = 30_000;

/** A message with every field at its default. */
export function emptyOf<T>(type: { decode(bytes: Uint8Array): T }): T {
  return type.decode(new Uint8Array(0));
}

/** What came back from a gRPC call. */
export interface CallResult {
  /** gRPC status; -1 when the connection ended without one. */
  readonly status: number;
  readonly message: string;
  readonly detail: ErrorDetail | undefined;
  readonly body: Buffer;
}

export interface TlsFiles {
  /** PEM. */
  readonly authority: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** A connection to the agents' endpoint that can also say what no honest agent would. */
export class TestConnection {
  readonly session: ClientHttp2Session;

  constructor(port: number, files: TlsFiles, host = '127.0.0.1') {
    const socket = connectTls({
      host,
      port,
      ca: files.authority,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      ...(files.certificate === undefined ? {} : { cert: files.certificate, key: files.key }),
    });
    this.session = connectHttp2(`https://${host}:${port}`, { createConnection: () => socket });
    this.session.on('error', () => this.session.destroy());
  }

  /** `raw` sends the bytes as they are, without the length in front. */
  call(path: string, message: Uint8Array, options: { raw?: boolean } = {}): Promise<CallResult> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const heads: IncomingHttpHeaders = {};
      const done = () => resolve(resultOf(heads, Buffer.concat(chunks)));
      if (this.session.destroyed) return done();
      const stream = this.session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('response', (headers) => Object.assign(heads, headers));
      stream.on('trailers', (headers) => Object.assign(heads, headers));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', () => undefined);
      stream.on('close', done);
      stream.setTimeout(callTimeoutMs, () => stream.destroy());
      stream.end(options.raw ? message : framed(message));
    });
  }

  close(): void {
    this.session.destroy();
  }
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

function resultOf(heads: IncomingHttpHeaders, body: Buffer): CallResult {
  const trailer = heads[errorDetailTrailer];
  const detail =
    typeof trailer === 'string' ? decodeErrorDetail(Buffer.from(trailer, 'base64')) : undefined;
  return {
    status: heads['grpc-status'] === undefined ? -1 : Number(heads['grpc-status']),
    message: String(heads['grpc-message'] ?? ''),
    detail,
    body: body.subarray(5),
  };
}

/** A refused call, for tests that expect an answer. */
export class CallRefused extends Error {
  readonly result: CallResult;
  constructor(result: CallResult) {
    super(`${result.status} ${result.detail?.code ?? ''} ${result.message}`);
    this.result = result;
  }
}

/** One simulated machine: its key, its certificate, its counters. */
export class TestEnvoy {
  readonly envoyId: string;
  readonly #files: Required<TlsFiles>;
  readonly #signer: RequestSigner;
  #port: number;
  #connection: TestConnection | undefined;
  sequence = 0;
  reportSequence = 0;

  /** `files.key` is the PEM of the Ed25519 identity key. */
  constructor(envoyId: string, port: number, files: Required<TlsFiles>) {
    this.envoyId = envoyId;
    this.#port = port;
    this.#files = files;
    this.#signer = new RequestSigner(pemSigner(files.key));
  }

  get connection(): TestConnection {
    if (this.#connection === undefined || this.#connection.session.destroyed) {
      this.#connection = new TestConnection(this.#port, this.#files);
    }
    return this.#connection;
  }

  /** Goes to the server's new place. */
  moveTo(port: number): void {
    this.close();
    this.#port = port;
  }

  /** A signed envelope; `change` alters it after the signature, `header` before. */
  request<Name extends SignedMethodName>(
    method: Name,
    body: Uint8Array,
    header: {
      envoyId?: string;
      timestampMs?: number;
      sequence?: number;
      traceparent?: string;
    } = {},
  ): SignedRequest {
    this.sequence = header.sequence ?? this.sequence + 1;
    return this.#signer.sign(
      method,
      {
        envoyId: uuidToBytes(header.envoyId ?? this.envoyId) ?? new Uint8Array(16),
        timestampMs: header.timestampMs ?? Date.now(),
        sequence: this.sequence,
        traceparent: header.traceparent ?? '',
      },
      body,
    );
  }

  send(method: SignedMethodName, request: SignedRequest): Promise<CallResult> {
    return this.connection.call(methods[method].path, SignedRequest.encode(request).finish());
  }

  /** Rejects with CallRefused. */
  async checkIn(change: Partial<BodyOf<'CheckIn'>> = {}): Promise<ResponseOf<'CheckIn'>> {
    const body = CheckInRequest.encode({
      ...emptyOf(CheckInRequest),
      state: 1,
      reportSequence: this.reportSequence,
      agentVersion: '0.1.0',
      ...change,
    }).finish();
    const result = await this.send('CheckIn', this.request('CheckIn', body));
    if (result.status !== 0) throw new CallRefused(result);
    return methods.CheckIn.response.decode(result.body);
  }

  /** Sends the next report, or the one of the given sequence again. Rejects with CallRefused. */
  async report(change: Partial<BodyOf<'Report'>> = {}): Promise<ResponseOf<'Report'>> {
    const reportSequence = change.reportSequence ?? this.reportSequence + 1;
    this.reportSequence = Math.max(this.reportSequence, reportSequence);
    const body = ReportRequest.encode({
      ...emptyOf(ReportRequest),
      runId: Buffer.alloc(16, reportSequence % 251),
      startedAtMs: Date.now(),
      state: 1,
      ...change,
      reportSequence,
    }).finish();
    const result = await this.send('Report', this.request('Report', body));
    if (result.status !== 0) throw new CallRefused(result);
    return methods.Report.response.decode(result.body);
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}
