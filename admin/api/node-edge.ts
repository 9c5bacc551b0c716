import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { EdgeRequest, HttpEdge, HttpEdgeOptions } from './http-edge.ts';

const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const connectionsMax = 2_000;
const drainMs = 2_000;

/** The REST edge on node:https. */
export async function openNodeEdge(options: HttpEdgeOptions): Promise<HttpEdge> {
  const server = createServer(
    {
      cert: options.certificatePem,
      key: options.keyPem,
      minVersion: 'TLSv1.3',
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
    },
    (incoming, outgoing) => void serve(incoming, outgoing, options),
  );
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), drainMs).unref();
      }),
  };
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: HttpEdgeOptions,
): Promise<void> {
  const body = await readBody(incoming, options.bodyBytesMax);
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2);
  const request: EdgeRequest = {
    method: incoming.method ?? 'GET',
    path,
    query,
    header: (name) => incoming.headers[name]?.toString(),
    body: body ?? new Uint8Array(),
    peerAddress: incoming.socket.remoteAddress ?? '',
  };
  const answer = body === undefined ? options.tooLarge : await options.handle(request);
  if (outgoing.destroyed) return;
  outgoing.writeHead(answer.status, { ...answer.headers });
  outgoing.end(answer.body);
}

/** The whole body, or undefined when it is larger than allowed or the peer went away. */
async function readBody(incoming: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming) {
      size += (chunk as Buffer).length;
      if (size > limit) return undefined;
      chunks.push(chunk as Buffer);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
