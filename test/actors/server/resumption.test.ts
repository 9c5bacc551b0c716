import { randomBytes } from 'node:crypto';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { ticketKeysOf } from '../../../actors/server/crypto/ticket-keys.ts';
import { nodeClock } from '../../../runtime/ports/node-clock.ts';
import { testAuthority, testIdentity } from '../../support/test-authority.ts';
import { tlsListener } from '../../support/tls-listener.ts';

const ours = await testAuthority();
const foreign = await testAuthority();
const ticketKeys = randomBytes(48);

/** Two listeners, as of two shards, and what they made of their peers. */
async function shards(t: Test) {
  const both = await Promise.all([0, 1].map(() => tlsListener(t, ours, { ticketKeys })));
  return {
    accepted: () => both.flatMap(({ accepted }) => accepted),
    refused: () => both.flatMap(({ refused }) => refused),
    ports: both.map(({ port }) => port),
  };
}

interface Visit {
  readonly session: Buffer | undefined;
  readonly reused: boolean;
}

/** Connects, takes the ticket that it is given, and leaves. */
function visit(
  port: number,
  files: { certificate?: string; key?: string },
  session?: Buffer,
): Promise<Visit> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: ours.authority.certificatePem,
      ALPNProtocols: ['h2'],
      ...(files.certificate === undefined ? {} : { cert: files.certificate, key: files.key }),
      ...(session === undefined ? {} : { session }),
    });
    let ticket: Buffer | undefined;
    socket.on('session', (given) => {
      ticket = given;
    });
    socket.on('error', () => undefined);
    socket.resume();
    let wasReused = false;
    socket.on('secureConnect', () => {
      wasReused = socket.isSessionReused();
      // Tickets come after the handshake, and a resumed session may get none.
      setTimeout(() => socket.destroy(), 200);
    });
    socket.on('close', () => resolve({ session: ticket, reused: wasReused }));
  });
}

t.test('a machine that resumes its session on another shard keeps its own identity', async (t) => {
  const { accepted, ports } = await shards(t);
  const identity = await testIdentity(ours);
  const first = await visit(ports[0] ?? 0, identity);
  const second = await visit(ports[1] ?? 0, identity, first.session);
  t.ok(second.reused, 'the second handshake was a short one');
  t.same(
    accepted().map(({ envoyId }) => envoyId),
    [identity.envoyId, identity.envoyId],
  );
});

t.test('a session without our certificate gains nothing by being resumed', async (t) => {
  const { accepted, refused, ports } = await shards(t);
  const stranger = await testIdentity(foreign);
  const first = await visit(ports[0] ?? 0, stranger);
  await visit(ports[1] ?? 0, stranger, first.session);
  const bare = await visit(ports[0] ?? 0, {});
  const identity = await testIdentity(ours);
  await visit(ports[1] ?? 0, identity, bare.session);
  t.equal(refused().length, 2, `the stranger: ${refused().join(', ')}`);
  t.notOk(accepted().some(({ envoyId }) => envoyId === stranger.envoyId));
  t.equal(accepted()[0]?.envoyId, undefined, 'without a certificate: registration only');
  t.equal(accepted()[1]?.envoyId, undefined, 'a resumed session is as bare as it was');
});

t.test('a session that is resumed does not outlive its certificate', async (t) => {
  const now = nodeClock();
  const clock = { ...now, nowMs: () => now.nowMs() + 2 * 24 * 3_600_000 };
  const today = await tlsListener(t, ours, { ticketKeys });
  const later = await tlsListener(t, ours, { ticketKeys, clock });
  const identity = await testIdentity(ours);
  const { session } = await visit(today.port, identity);
  await visit(later.port, identity, session);
  t.same(later.refused, ['certificate: CERT_HAS_EXPIRED']);
  t.same(later.accepted, []);
});

t.test('a server that was started again knows the sessions of before, for a day', async (t) => {
  const noonMs = Date.UTC(2026, 0, 1, 12);
  const hourMs = 3_600_000;
  const keys = ticketKeysOf(ours.serverKey, noonMs);
  t.equal(keys.length, 48);
  t.same(ticketKeysOf(ours.serverKey, noonMs + hourMs), keys);
  t.notSame(ticketKeysOf(ours.serverKey, noonMs + 24 * hourMs), keys, 'another day');
  t.notSame(ticketKeysOf(foreign.serverKey, noonMs), keys, 'another authority');
});
