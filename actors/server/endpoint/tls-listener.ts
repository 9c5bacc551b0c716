import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import type { TLSSocket } from 'node:tls';
import { uuidToBytes } from '../../../agent/protocol/uuid.ts';
import type { Clock } from '../../../runtime/ports/clock.ts';
import { envoyIdFromCertificate } from '../../enrollment/identity.ts';
import { HandshakeGate } from './admission.ts';
import { type Connection, ConnectionTable } from './connections.ts';
import { sessionTicketLifetimeS, tcpKeepaliveMs } from './limits.ts';
import { Handshake } from './tls/handshake.ts';
import { HandshakeServer } from './tls/handshake-server.ts';
import type { PeerSocket } from './tls/peer-socket.ts';
import { RawSocket, type RawTaker } from './tls/raw-socket.ts';
import { cipherSuite } from './tls/record-keys.ts';

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

/** Who seals the records of a connection after its handshake. */
export type TlsRecords = 'vigo' | 'openssl';

export interface ListenerLimits {
  readonly connectionLimit: number;
  readonly handshakesPerSecond: number;
  readonly tlsRecords?: TlsRecords;
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
  const handshakes = new HandshakeServer({
    cert: identity.certificate,
    key: identity.key,
    ca: identity.authority,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: ciphersOf(limits.tlsRecords ?? 'vigo'),
    ALPNProtocols: ['h2'],
    requestCert: true,
    rejectUnauthorized: false,
    sessionTimeout: sessionTicketLifetimeS,
    ticketKeys: Buffer.from(identity.ticketKeys),
    // Node's own is made of the command line, which another start may write differently.
    sessionIdContext: 'vigo-agents',
  });
  const waiting = new Set<Socket>();
  let handshaking = 0;
  const begin = (accepted: Socket): void => {
    const peer = nameOf(accepted);
    waiting.delete(accepted);
    handshaking += 1;
    const raw = (taker: RawTaker) => new RawSocket(accepted, taker);
    new Handshake(raw, handshakes, clock, {
      shaken: (tls, take) => {
        handshaking -= 1;
        accept({ tls, peer, take, nowMs: clock.nowMs() }, connections, events);
      },
      failed: (error) => {
        handshaking -= 1;
        events.refused(`handshake: ${codeOf(error)}`, peer);
      },
    });
  };
  const gate = new HandshakeGate(clock, limits.handshakesPerSecond, begin, (socket) =>
    events.refused('too many handshakes', nameOf(socket)),
  );
  const server = createTcpServer(
    {
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: tcpKeepaliveMs,
    },
    (socket) => {
      if (waiting.size + handshaking + connections.size >= limits.connectionLimit) {
        events.refused('connection limit', nameOf(socket));
        socket.destroy();
        return;
      }
      waiting.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => waiting.delete(socket));
      gate.enter(socket);
    },
  );
  return {
    connections,
    isHandshaking: () => gate.isBusy,
    listen: (host, port) => listen(server, host, port),
    stopAccepting: () => {
      server.close();
    },
  };
}

interface Shaken {
  readonly tls: TLSSocket;
  /** Since the Unix epoch. */
  readonly nowMs: number;
  readonly peer: string;
  readonly take: () => PeerSocket;
}

function accept(
  { tls, peer, take, nowMs }: Shaken,
  connections: ConnectionTable,
  events: ListenerEvents,
): void {
  const admission = admit(tls, nowMs);
  if ('refusal' in admission) {
    events.refused(admission.refusal, peer);
    return;
  }
  const { envoyId } = admission;
  const envoyIdBytes = envoyId === undefined ? undefined : Buffer.from(uuidToBytes(envoyId) ?? []);
  const socket = take();
  const connection: Connection = { envoyId, envoyIdBytes, peer, socket, claim: undefined };
  if (!connections.add(connection)) {
    socket.destroy();
    events.refused('connection limit', peer);
    return;
  }
  socket.onceClosed(() => events.closed(connection, connections.remove(connection)));
  events.accepted(connection);
}

function admit(
  socket: TLSSocket,
  nowMs: number,
): { envoyId: string | undefined } | { refusal: string } {
  if (socket.alpnProtocol !== 'h2') return { refusal: 'not HTTP/2' };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { envoyId: undefined };
  if (!socket.authorized) return { refusal: `certificate: ${codeOf(socket.authorizationError)}` };
  // OpenSSL does not look again when a session is resumed.
  if (certificate.validToDate.getTime() <= nowMs) {
    return { refusal: 'certificate: CERT_HAS_EXPIRED' };
  }
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

/** Those of TLS 1.3 in the order of our choice. A peer without ours is served by Node's TLS. */
function ciphersOf(records: TlsRecords): string {
  const ours = records === 'vigo' ? [cipherSuite] : [];
  const theirs = ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'];
  return [...ours, ...theirs].join(':');
}

/** A fleet that comes back at once waits in the kernel, not in retries. */
const listenBacklog = 4096;
