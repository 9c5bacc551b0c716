import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import type { Problem } from '../api/problem.ts';
import { AdminError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { RemoteError } from './remote-error.ts';

const answerBytesMax = 64 * 1024 * 1024;
const defaultTimeoutMs = 30_000;

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Speaks to the REST API of one server. */
export class Client {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    const pairs = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const text = new URLSearchParams(pairs).toString();
    return this.#send<T>('GET', text ? `${path}?${text}` : path, undefined, defaultTimeoutMs);
  }

  post<T>(path: string, body: unknown, timeoutMs = defaultTimeoutMs): Promise<T> {
    return this.#send<T>('POST', path, JSON.stringify(body), timeoutMs);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#send<T>('PUT', path, JSON.stringify(body), defaultTimeoutMs);
  }

  delete<T>(path: string): Promise<T> {
    return this.#send<T>('DELETE', path, undefined, defaultTimeoutMs);
  }

  async #send<T>(
    method: string,
    path: string,
    body: string | undefined,
    timeoutMs: number,
  ): Promise<T> {
    const { status, text } = await this.#exchange(method, path, body, timeoutMs);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new AdminError('API_INTERNAL', `status ${status}, and the answer is not JSON`);
    }
    if (status >= 400) throw new RemoteError(problemOf(status, value));
    return value as T;
  }

  #exchange(
    method: string,
    path: string,
    body: string | undefined,
    timeoutMs: number,
  ): Promise<{ status: number; text: string }> {
    const { host, port, token, caPem } = this.#connection;
    const trace = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host,
          port,
          method,
          path,
          ca: caPem,
          minVersion: 'TLSv1.3',
          agent: false,
          timeout: timeoutMs,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            traceparent: trace,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          let size = 0;
          incoming.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > answerBytesMax) outgoing.destroy(new Error('the answer is too large'));
            else chunks.push(chunk);
          });
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${timeoutMs} ms`)));
      outgoing.on('error', (error) => reject(this.#connectionError(error)));
      outgoing.end(body);
    });
  }

  #connectionError(error: Error & { code?: string }): AdminError {
    const where = `${this.#connection.host}:${this.#connection.port}`;
    const certificate =
      error.code?.startsWith('ERR_TLS_') ||
      /^(SELF_SIGNED|UNABLE_TO|CERT_|DEPTH_)/.test(error.code ?? '');
    if (certificate) return new AdminError('CLI_UNTRUSTED_SERVER', `${where}: ${error.message}`);
    return new AdminError('CLI_UNREACHABLE', `${where}: ${error.message}`);
  }
}

/** Whatever answers on that port may not be a Vigo server; its words are taken as they are. */
function problemOf(status: number, value: unknown): Problem {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Partial<Problem>;
  const text = (field: unknown, otherwise: string) =>
    typeof field === 'string' ? field : otherwise;
  return {
    type: text(fields.type, 'about:blank'),
    title: text(fields.title, ''),
    status,
    code: text(fields.code, 'API_INTERNAL'),
    detail: text(fields.detail, `the server answered with status ${status}`),
    remedy: text(fields.remedy, ''),
    traceId: text(fields.traceId, ''),
    details: fields.details,
  };
}
