import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import type { Connection } from '../../actors/server/endpoint/connections.ts';
import { createTlsListener, type TlsRecords } from '../../actors/server/endpoint/tls-listener.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { nodeClock } from '../../runtime/ports/node-clock.ts';
import type { TestAuthority } from './test-authority.ts';

export interface EchoOptions {
  readonly tlsRecords?: TlsRecords;
  readonly connectionLimit?: number;
  readonly clock?: Clock;
  readonly ticketKeys?: Uint8Array;
  /** Sends back what it gets; default. */
  readonly isEchoing?: boolean;
}

/** The agents' door without what is behind it: what it made of its peers, and a port. */
export async function tlsListener(t: Test, ours: TestAuthority, options: EchoOptions = {}) {
  const accepted: Connection[] = [];
  const refused: string[] = [];
  const closed: Connection[] = [];
  const { isEchoing = true, tlsRecords } = options;
  const listener = createTlsListener(
    {
      certificate: ours.serverCertificate,
      key: ours.serverKey,
      authority: ours.authority.certificatePem,
      ticketKeys: options.ticketKeys ?? randomBytes(48),
    },
    {
      connectionLimit: options.connectionLimit ?? 100,
      handshakesPerSecond: 1000,
      ...(tlsRecords === undefined ? {} : { tlsRecords }),
    },
    options.clock ?? nodeClock(),
    {
      accepted: (connection) => {
        accepted.push(connection);
        const { socket } = connection;
        const read = (bytes: Buffer) => (isEchoing ? socket.write(bytes) : undefined);
        socket.readBy({ read, drained: () => undefined });
      },
      closed: (connection) => void closed.push(connection),
      refused: (reason) => void refused.push(reason),
    },
  );
  t.teardown(() => {
    listener.stopAccepting();
    listener.connections.destroyAll();
  });
  return { accepted, refused, closed, listener, port: await listener.listen('127.0.0.1', 0) };
}
