import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';

/** One exchange with the store, as plain data. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM; undefined = the authorities of the system. */
  readonly ca: string | undefined;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Rejects with an Error whose message holds nothing of the request but host and cause. */
export type HttpExchange = (request: HttpRequest) => Promise<HttpAnswer>;

const answerBytesLimit = 4 * 1024 * 1024;

/** HTTP and HTTPS by node. */
export const nodeExchange: HttpExchange = (request) => {
  const { method, url, headers, body, ca, timeoutMs } = request;
  const secure = url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const call = (secure ? requestSecure : requestPlain)(
      url,
      {
        method,
        agent: false,
        timeout: timeoutMs,
        headers: { ...(body === undefined ? {} : lengthOf(body)), ...headers },
        ...(secure ? { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) } : {}),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > answerBytesLimit) call.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on('error', reject);
    call.end(body);
  });
};

function lengthOf(body: string): Record<string, string> {
  return {
    'content-length': String(Buffer.byteLength(body)),
    'content-type': 'application/json',
  };
}
