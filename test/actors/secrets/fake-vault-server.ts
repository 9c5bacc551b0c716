import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Headers = IncomingMessage['headers'];
type Answer = readonly [status: number, body: unknown];
const nothing: Answer = [404, { errors: [] }];

interface Version {
  readonly version: number;
  /** null: deleted. */
  readonly data: Record<string, unknown> | null;
}

/**
 * FakeVaultServer: stands for OpenBao or Vault where no real one can be had. Answers as the documented
 * HTTP API of KV version 2 and AppRole does (https://openbao.org/api-docs/secret/kv/kv-v2/,
 * https://openbao.org/api-docs/auth/approle/), as far as this project uses it.
 */
export class FakeVaultServer {
  readonly requests: { method: string; path: string; headers: IncomingMessage['headers'] }[] = [];
  readonly #secrets = new Map<string, Version[]>();
  readonly #tokens = new Set<string>(['root-token']);
  /** Statuses that the next requests get instead of an answer. */
  failWith: number[] = [];
  /** No answer at all. */
  silent = false;
  logins = 0;
  readonly #server: Server = createServer((request, response) => {
    void this.#serve(request, response);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  put(path: string, data: Record<string, unknown> | null): number {
    const versions = this.#secrets.get(path) ?? [];
    const version = versions.length + 1;
    this.#secrets.set(path, [...versions, { version, data }]);
    return version;
  }

  get(path: string): Record<string, unknown> | null | undefined {
    return this.#secrets.get(path)?.at(-1)?.data;
  }

  expireTokens(): void {
    this.#tokens.clear();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    this.requests.push({ method, path: url, headers });
    if (this.silent) return;
    const text = Buffer.concat(chunks).toString();
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    const [status, answer] = this.#answer(method, url, headers, body);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  }

  #answer(method: string, url: string, headers: Headers, body: Record<string, unknown>): Answer {
    const failure = this.failWith.shift();
    if (failure !== undefined) return [failure, { errors: ['as told'] }];
    if (url === '/v1/auth/approle/login') return this.#login(body);
    if (!this.#tokens.has(String(headers['x-vault-token'])))
      return [403, { errors: ['permission denied'] }];
    const [, kind = '', path = ''] = /^\/v1\/kv\/(data|metadata)\/(.*)$/.exec(url) ?? [];
    const folder = /^(.*)\?list=true$/.exec(path)?.[1];
    if (kind === 'metadata' && folder !== undefined) return this.#list(folder);
    if (kind !== 'data') return nothing;
    if (method === 'GET') return this.#read(path);
    return this.#write(method, path, headers, body.data as Record<string, unknown>);
  }

  #login(body: Record<string, unknown>): Answer {
    this.logins += 1;
    if (body.role_id !== 'role' || body.secret_id !== 'secret-id')
      return [400, { errors: ['invalid role or secret ID'] }];
    const token = `login-${this.logins}`;
    this.#tokens.add(token);
    return [200, { auth: { client_token: token, lease_duration: 60 } }];
  }

  #read(path: string): Answer {
    const newest = this.#secrets.get(path)?.at(-1);
    if (newest === undefined) return nothing;
    const { version, data } = newest;
    const deletion = data === null ? '2026-01-01T00:00:00Z' : '';
    const metadata = { version, deletion_time: deletion, destroyed: false };
    return [data === null ? 404 : 200, { data: { data, metadata } }];
  }

  #write(method: string, path: string, headers: Headers, given: Record<string, unknown>): Answer {
    if (method !== 'PATCH') return [200, { data: { version: this.put(path, given) } }];
    if (headers['content-type'] !== 'application/merge-patch+json') return [415, { errors: [] }];
    const newest = this.get(path);
    if (newest === undefined || newest === null) return nothing;
    return [200, { data: { version: this.put(path, { ...newest, ...given }) } }];
  }

  #list(folder: string): Answer {
    const below = [...this.#secrets.keys()]
      .filter((path) => path.startsWith(folder))
      .map((path) => path.slice(folder.length).replace(/\/.*$/, '/'));
    return below.length === 0 ? nothing : [200, { data: { keys: [...new Set(below)].sort() } }];
  }
}
