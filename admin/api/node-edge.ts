import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { WebSocketServer } from 'ws';
import { repeatedHeaders } from './http/guard-head.ts';
import {
  type EdgeRequest,
  type EdgeResponse,
  type HttpEdge,
  type HttpEdgeOptions,
  type MalformedCode,
  type RequestHead,
  StreamBody,
} from './http-edge.ts';
import { EventStreamOutlet } from './live/event-stream.ts';
import { LiveBody } from './live/outlet.ts';
import { refuseTalk, viewerFrameMax, WebSocketOutlet } from './live/web-socket.ts';

/** What one peer, or all together, may take of the edge. */
export interface EdgeLimits {
  /** For the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** For the head of a request. */
  readonly headersTimeoutMs: number;
  /** For the whole of a request. */
  readonly requestTimeoutMs: number;
  /** For a connection without a request: a handshake costs more than most pages. */
  readonly idleTimeoutMs: number;
  /** For a peer that takes nothing of a streamed body. */
  readonly stalledTimeoutMs: number;
  readonly connectionsMax: number;
  /** Of one address; many people may stand behind one. */
  readonly connectionsPerAddressMax: number;
  /** For running requests, when the edge closes. */
  readonly drainMs: number;
}

export const edgeLimits: EdgeLimits = {
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 65_000,
  stalledTimeoutMs: 60_000,
  connectionsMax: 2_000,
  connectionsPerAddressMax: 512,
  drainMs: 2_000,
};

/** https://nodejs.org/api/errors.html: why node gives up on what should be a request. */
const malformedCodes: Readonly<Record<string, MalformedCode>> = {
  HPE_HEADER_OVERFLOW: 'API_HEAD_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'API_TOO_SLOW',
};
/** Of the connections that there may be: from here on idle ones are closed. */
const crowdedShare = 0.75;
/** For a peer that was refused a WebSocket to take the answer. */
const refusalMs = 500;
/** How often node looks for late requests: a part of the shorter limit. */
const checksPerTimeout = 5;

/** The REST edge on node:https: TLS 1.3 only. */
export async function openNodeEdge(
  options: HttpEdgeOptions,
  limits: EdgeLimits = edgeLimits,
): Promise<HttpEdge> {
  const server = createServer(
    {
      cert: options.certificatePem,
      key: options.keyPem,
      minVersion: 'TLSv1.3',
      handshakeTimeout: limits.handshakeTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.ceil(limits.headersTimeoutMs / checksPerTimeout),
    },
    (incoming, outgoing) => {
      serve(incoming, outgoing, options, limits).catch(() => incoming.destroy());
    },
  );
  server.maxConnections = limits.connectionsMax;
  limitAddresses(server, limits);
  answerMalformed(server, options);
  acceptWebSockets(server, options);
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
        setTimeout(() => server.closeAllConnections(), limits.drainMs).unref();
      }),
  };
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: HttpEdgeOptions,
  { stalledTimeoutMs }: EdgeLimits,
): Promise<void> {
  const head = headOf(incoming);
  const body = await readBody(incoming, options.bodyBytesMax(head));
  if (body === 'too large') {
    // The rest is not read: the connection ends with the answer.
    outgoing.shouldKeepAlive = false;
    outgoing.once('finish', () => incoming.socket.destroySoon());
    return send(outgoing, options.tooLarge, stalledTimeoutMs);
  }
  const peerAddress = incoming.socket.remoteAddress ?? '';
  const request: EdgeRequest = { ...head, body, peerAddress };
  send(outgoing, await options.handle(request), stalledTimeoutMs);
}

function headOf(incoming: IncomingMessage): RequestHead {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  return {
    method: incoming.method ?? 'GET',
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark + 1),
    header: (name) => incoming.headers[name]?.toString(),
    repeatedHeaders: repeatedHeaders(incoming.rawHeaders),
  };
}

/** One address alone cannot take all connections; who needs none at the moment makes room. */
function limitAddresses(server: Server, limits: EdgeLimits): void {
  const { connectionsMax, connectionsPerAddressMax: most } = limits;
  const open = new Map<string, number>();
  let all = 0;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (open.get(address) ?? 0) + 1;
    if (count > most) {
      socket.destroy();
      return;
    }
    open.set(address, count);
    all += 1;
    const isCrowded = count > most * crowdedShare || all > connectionsMax * crowdedShare;
    if (isCrowded) server.closeIdleConnections();
    socket.once('close', () => {
      all -= 1;
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

/** What is no HTTP, too long or too slow, before there is a request to be routed. */
function answerMalformed(server: Server, { malformed }: HttpEdgeOptions): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const { status, headers, body } = malformed(
      malformedCodes[error.code ?? ''] ?? 'API_MALFORMED',
    );
    answerRaw(socket, status, headers, body);
  });
}

/** WebSockets take no compression: it costs memory for each viewer, and theirs are small texts. */
function acceptWebSockets(server: Server, options: HttpEdgeOptions): void {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: viewerFrameMax,
    perMessageDeflate: false,
    autoPong: false,
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, rest: Buffer) => {
    socket.on('error', () => socket.destroy());
    const request = {
      ...headOf(incoming),
      body: new Uint8Array(),
      peerAddress: incoming.socket.remoteAddress ?? '',
    };
    const handle = options.handleUpgrade ?? options.handle;
    handle(request).then(
      ({ status, headers, body }) => {
        if (!(body instanceof LiveBody)) return answerRaw(socket, status, headers, body);
        sockets.handleUpgrade(incoming, socket, rest, (webSocket) => {
          const outlet = new WebSocketOutlet(webSocket);
          refuseTalk(webSocket, outlet, () => performance.now());
          webSocket.on('error', () => webSocket.terminate());
          const { drained, closed } = body.open(outlet);
          socket.on('drain', drained);
          webSocket.once('close', closed);
        });
      },
      () => socket.destroy(),
    );
  });
}

/** An answer where node has none to give. */
function answerRaw(
  socket: Duplex,
  status: number,
  headers: EdgeResponse['headers'],
  body: EdgeResponse['body'],
): void {
  const text = typeof body === 'string' ? body : '';
  const lines = Object.entries({
    ...headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(text)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${text}`);
  // The peer may send for as long as it likes: nothing of it is read.
  setTimeout(() => socket.destroy(), refusalMs).unref();
}

function openLive(outgoing: ServerResponse, { open }: LiveBody): void {
  const { drained, closed } = open(new EventStreamOutlet(outgoing));
  outgoing.on('drain', drained);
  outgoing.once('close', closed);
}

function send(
  outgoing: ServerResponse,
  { status, headers, body }: EdgeResponse,
  stalledTimeoutMs: number,
): void {
  if (!(body instanceof StreamBody)) {
    if (outgoing.destroyed) return;
    outgoing.writeHead(status, { ...headers });
    if (body instanceof LiveBody) {
      openLive(outgoing, body);
      return;
    }
    outgoing.setTimeout(stalledTimeoutMs, () => outgoing.destroy());
    outgoing.end(body);
    return;
  }
  if (outgoing.destroyed) {
    body.stream.destroy();
    return;
  }
  const length = body.bytes === undefined ? {} : { 'content-length': String(body.bytes) };
  outgoing.writeHead(status, { ...headers, ...length });
  outgoing.setTimeout(stalledTimeoutMs, () => outgoing.destroy());
  // Either side that ends ends the other; the peer sees that it got less than it was told.
  pipeline(body.stream, outgoing, () => undefined);
}

/** Rejects when the peer goes away before its end. */
function readBody(incoming: IncomingMessage, limit: number): Promise<Uint8Array | 'too large'> {
  if (Number(incoming.headers['content-length'] ?? 0) > limit) return Promise.resolve('too large');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      incoming.off('data', take).pause();
      resolve('too large');
    };
    incoming.on('data', take);
    incoming.once('end', () => resolve(Buffer.concat(chunks)));
    incoming.once('error', reject);
    incoming.once('close', () => reject(new Error('the peer went away')));
  });
}
