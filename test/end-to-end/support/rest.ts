import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { TestServer } from './server-process.ts';

export interface RestAnswer<T> {
  readonly status: number;
  readonly body: T;
}

/** Calls the REST API as the local administrator. */
export function rest<T>(
  server: TestServer,
  method: string,
  path: string,
  body?: unknown,
): Promise<RestAnswer<T>> {
  const { layout, certificateAuthority } = server.home;
  const token = readFileSync(layout.adminToken, 'utf8').trim();
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: server.run?.apiPort,
        method,
        path,
        ca: certificateAuthority.certificatePem,
        agent: false,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text || 'null') as T });
        });
      },
    );
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
