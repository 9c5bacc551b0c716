import { readFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { CheckInResponse, ReportResponse } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import type { SignedBundle } from '../../../agent/protocol/gen/vigo/v1/bundle.ts';
import { SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import { methods } from '../../../agent/protocol/methods.ts';
import { emptyOf } from '../../support/test-envoy.ts';
import type { TestServer } from './server-process.ts';

/**
 * Who stole the server's TLS key and answers in its place, but does not have the bundle key: answers
 * every check-in with `bundle`, or with `raw` bytes, and takes every report.
 */
export class Impostor {
  bundle: SignedBundle | undefined;
  raw: Buffer | undefined;
  requests = 0;
  readonly #server: Http2SecureServer;

  constructor(tls: { cert: string; key: string }) {
    this.#server = createSecureServer({ ...tls, minVersion: 'TLSv1.3' });
    this.#server.on('stream', (stream, headers) => this.#serve(stream, headers[':path'] ?? ''));
    this.#server.on('sessionError', () => undefined);
  }

  static of(server: TestServer): Impostor {
    const { serverCertificate, serverKey } = server.home.layout;
    return new Impostor({
      cert: readFileSync(serverCertificate, 'utf8'),
      key: readFileSync(serverKey, 'utf8'),
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) =>
      this.#server.listen(0, '127.0.0.1', () =>
        resolve((this.#server.address() as AddressInfo).port),
      ),
    );
  }

  close(): void {
    this.#server.close();
  }

  #serve(stream: ServerHttp2Stream, path: string): void {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      this.requests += 1;
      const request = SignedRequest.decode(Buffer.concat(chunks).subarray(5));
      const answer = this.raw ?? framed(this.#answer(path, request));
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(answer);
    });
  }

  #answer(path: string, request: SignedRequest): Uint8Array {
    if (path === methods.CheckIn.path) {
      const answer = { ...emptyOf(CheckInResponse), protocolVersion: 1, nextCheckInMs: 1000 };
      return CheckInResponse.encode({ ...answer, bundle: this.bundle, storeId: 1 }).finish();
    }
    const { reportSequence } = methods.Report.body.decode(request.body);
    return ReportResponse.encode({
      ...emptyOf(ReportResponse),
      protocolVersion: 1,
      durableReportSequence: reportSequence,
      storeId: 1,
    }).finish();
  }
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
