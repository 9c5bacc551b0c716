import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';

/** Discovery documents, key sets and tokens are small. */
const answerBytesMax = 1024 * 1024;

interface FetchOptions {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

export type ProviderFetch = (url: string, options: FetchOptions) => Promise<Response>;

/** A fetch that believes only one authority (PEM), follows no redirect and reads no endless answer. */
export function providerFetch(authority: string | undefined): ProviderFetch {
  const context = authority === undefined ? undefined : createSecureContext({ ca: authority });
  return (url, options) => send(new URL(url), options, context);
}

function send(
  url: URL,
  { method, headers, body, signal }: FetchOptions,
  secureContext: SecureContext | undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestTls : requestPlain;
    const trust = secureContext === undefined ? {} : { secureContext };
    const outgoing = request(
      url,
      { method, headers, agent: false, ...trust, ...(signal === undefined ? {} : { signal }) },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > answerBytesMax) outgoing.destroy(new Error('the answer is too large'));
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          const pairs = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
            values.map((value): [string, string] => [name, value]),
          );
          const status = incoming.statusCode ?? 0;
          const empty = status === 204 || status === 304 || chunks.length === 0;
          resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: pairs }));
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined || body === null ? undefined : String(body));
  });
}
