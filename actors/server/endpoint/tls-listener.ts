import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { uuidToBytes } from '../../../agent/protocol/uuid.ts';
import type { Clock } from '../../../runtime/ports/clock.ts';
import { envoyIdFromCertificate } from '../../enrollment/identity.ts';
import { HandshakeGate } from './admission.ts';
import { type Connection, ConnectionTable } from './connections.ts';
import { handshakeTimeoutMs, sessionTicketLifetimeS, tcpKeepaliveMs } from './limits.ts';

export interface TlsIdentity {
  /** PEM; leaf first. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the CA that signs envoys. */
  readonly authority: string;
  /** 48 bytes, the same on all shards: a peer may resume its session on any of them. */
  readonly ticketKeys: Uint8Array;
}

export interface ListenerEvents {
  accepted(connection: Connection): void;
  /** The connection ended; `last` = the envoy has no other one on this shard. */
  closed(connection: Connection, last: boolean): void;
  /** The peer was cut off before it could ask for anything. */
  refused(reason: string, peer: string): void;
}

export interface TlsListener {
  readonly connections: ConnectionTable;
  /** True while peers wait for their handshake or are in it. */
  isHandshaking(): boolean;
  listen(host: string, port: number): Promise<number>;
  /** Accepts nobody any more; open connections stay. */
  stopAccepting(): void;
}

export interface ListenerLimits {
  readonly connectionLimit: number;
  readonly handshakesPerSecond: number;
}

/**
 * Accepts TLS 1.3 connections that speak HTTP/2. A peer without a certificate may register; one
 * whose certificate is not of our CA, or has expired, or names no envoy, is cut off.
 */
export function createTlsListener(
  identity: TlsIdentity,
  limits: ListenerLimits,
  clock: Clock,
  events: ListenerEvents,
): TlsListener {
  const connections = new ConnectionTable(limits.connectionLimit);
  const tls = createTlsServer({
    cert: identity.certificate,
    key: identity.key,
    ca: identity.authority,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: handshakeTimeoutMs,
    sessionTimeout: sessionTicketLifetimeS,
    ticketKeys: Buffer.from(identity.ticketKeys),
    // Node's own is made of the command line, which another start may write differently.
    sessionIdContext: 'vigo-agents',
  });
  tls.on('tlsClientError', (error, socket) => {
    events.refused(`handshake: ${codeOf(error)}`, nameOf(socket));
    socket.destroy();
  });
  tls.on('secureConnection', (socket) => accept(socket, connections, events));
  const gate = new HandshakeGate(
    clock,
    limits.handshakesPerSecond,
    (socket) => tls.emit('connection', socket),
    (socket) => events.refused('too many handshakes', nameOf(socket)),
  );
  const server = createTcpServer(
    {
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: tcpKeepaliveMs,
    },
    (socket) => {
      socket.on('error', () => socket.destroy());
      gate.enter(socket);
    },
  );
  server.maxConnections = limits.connectionLimit;
  server.on('drop', (peer) => events.refused('connection limit', nameOf(peer)));
  return {
    connections,
    isHandshaking: () => gate.isBusy,
    listen: (host, port) => listen(server, host, port),
    stopAccepting: () => {
      server.close();
    },
  };
}

function accept(socket: TLSSocket, connections: ConnectionTable, events: ListenerEvents): void {
  const peer = nameOf(socket);
  socket.on('error', () => socket.destroy());
  const admission = admit(socket);
  if ('refusal' in admission) {
    socket.destroy();
    events.refused(admission.refusal, peer);
    return;
  }
  const { envoyId } = admission;
  const envoyIdBytes = envoyId === undefined ? undefined : Buffer.from(uuidToBytes(envoyId) ?? []);
  const connection: Connection = { envoyId, envoyIdBytes, peer, socket, claim: undefined };
  if (!connections.add(connection)) {
    socket.destroy();
    events.refused('connection limit', peer);
    return;
  }
  socket.once('close', () => events.closed(connection, connections.remove(connection)));
  events.accepted(connection);
}

function admit(socket: TLSSocket): { envoyId: string | undefined } | { refusal: string } {
  if (socket.alpnProtocol !== 'h2') return { refusal: 'not HTTP/2' };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { envoyId: undefined };
  if (!socket.authorized) return { refusal: `certificate: ${codeOf(socket.authorizationError)}` };
  try {
    return { envoyId: envoyIdFromCertificate(certificate) };
  } catch {
    return { refusal: 'certificate: it names no envoy' };
  }
}

function nameOf(peer: { remoteAddress?: string; remotePort?: number } | undefined): string {
  return `${peer?.remoteAddress}:${peer?.remotePort}`;
}

function codeOf(error: unknown): string {
  if (typeof error === 'string') return error;
  return (error as NodeJS.ErrnoException | null)?.code ?? 'not accepted';
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const address = host === '' ? { port } : { host, port };
    server.listen({ ...address, reusePort: true, backlog: listenBacklog }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** A fleet that comes back at once waits in the kernel, not in retries. */
const listenBacklog = 4096;
