import { request } from 'node:https';
import type { TestServer } from './server-process.ts';

export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Sent {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** An address of the loopback, 127.x.x.x. */
  readonly from?: string;
}

/** One request as a browser or a program would send it; nothing is added to the headers. */
export function send(
  server: TestServer,
  method: string,
  path: string,
  { body, headers = {}, from = '127.0.0.1' }: Sent = {},
): Promise<WebAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        localAddress: from,
        port: server.run?.apiPort,
        method,
        path,
        ca: server.home.certificateAuthority.certificatePem,
        agent: false,
        headers: { 'content-type': 'application/json', ...headers },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { statusCode: status = 0, headers: got } = answer;
          resolve({ status, headers: got, body: JSON.parse(text || '{}') as WebAnswer['body'] });
        });
      },
    );
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Like a browser: keeps the session cookie and says where its writes come from. */
export class Browser {
  readonly #server: TestServer;
  cookie = '';

  constructor(server: TestServer) {
    this.#server = server;
  }

  async send(method: string, path: string, body?: unknown): Promise<WebAnswer> {
    const headers = {
      ...(this.cookie === '' ? {} : { cookie: this.cookie }),
      'sec-fetch-site': 'same-origin',
      'user-agent': 'test browser',
    };
    const answer = await send(this.#server, method, path, { body, headers });
    for (const set of [answer.headers['set-cookie'] ?? []].flat()) {
      this.cookie = /Max-Age=0/.test(set) ? '' : (set.split(';')[0] ?? '');
    }
    return answer;
  }
}
