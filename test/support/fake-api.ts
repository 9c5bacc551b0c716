import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { testAuthority } from './test-authority.ts';

/** What stands in for a Vigo server: the same answer to every request, or none. */
export interface FakeAnswer {
  readonly status: number;
  readonly body: string;
}

/** A TLS server with a certificate of its own authority, and the files that vigocli needs to talk to it. */
export class FakeApi {
  readonly directory: string;
  readonly server: string;
  /** Undefined: it says nothing at all. */
  answer: (method: string, path: string) => FakeAnswer | undefined;
  readonly asked: string[] = [];
  readonly #close: () => void;

  private constructor(directory: string, port: number, close: () => void) {
    this.directory = directory;
    this.server = `127.0.0.1:${port}`;
    this.answer = () => ({ status: 200, body: '{"items":[]}' });
    this.#close = close;
  }

  static async open(): Promise<FakeApi> {
    const { authority, serverCertificate, serverKey } = await testAuthority();
    const directory = mkdtempSync(join(tmpdir(), 'vigo-fake-api-'));
    writeFileSync(join(directory, 'ca.pem'), authority.certificatePem);
    writeFileSync(join(directory, 'token'), 'vgot_test\n', { mode: 0o600 });
    const chain = serverCertificate + authority.certificatePem;
    const sockets = new Set<Duplex>();
    const listener = createServer({ cert: chain, key: serverKey }, (request, response) => {
      const path = request.url ?? '/';
      api.asked.push(`${request.method} ${path}`);
      request.resume();
      const answer = api.answer(request.method ?? 'GET', path);
      if (answer === undefined) return;
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(answer.body);
    });
    listener.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as AddressInfo;
    const api: FakeApi = new FakeApi(directory, port, () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    });
    return api;
  }

  /** Global options that name it. */
  get flags(): string[] {
    return ['--server', this.server, ...this.files];
  }

  get files(): string[] {
    const at = (name: string) => join(this.directory, name);
    return ['--token-file', at('token'), '--ca-file', at('ca.pem')];
  }

  close(): void {
    this.#close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
