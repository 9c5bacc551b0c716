import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { CheckInRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { clockSkewLimitMs } from '../../agent/protocol/limits.ts';
import { methods } from '../../agent/protocol/methods.ts';
import { testAuthority, testIdentity } from '../support/test-authority.ts';
import { emptyOf, TestConnection, TestEnvoy } from '../support/test-envoy.ts';
import { makeToken, TestAgent } from './support/agent-process.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';

t.setTimeout(180_000);

const body = CheckInRequest.encode({ ...emptyOf(CheckInRequest), state: 1 }).finish();

interface AuditRow {
  readonly type: string;
  readonly details: string;
}

/** The audit log holds an entry of this type that names the code. */
async function audited(t: Test, server: TestServer, type: string, code: string): Promise<void> {
  const database = new TestDatabase(server.home.layout.database);
  const query = 'SELECT type, details FROM audit_log WHERE type = ?';
  const found = () =>
    database.rows<AuditRow>(query, type).some(({ details }) => details.includes(`"${code}"`));
  t.ok(await eventually(found), `audited: ${type} ${code}`);
}

t.test('a token that is not good enrolls nobody, and the owner can read why', async (t) => {
  const server = await TestServer.make(t, { shards: 1 });
  await server.start();
  const agent = new TestAgent(t);
  const good = await makeToken(server, ['web-*']);
  const [, id, secret, pin] = /^vigo-token-([^.]+)\.([^.]+)\.(.+)$/.exec(
    good,
  ) as unknown as string[];
  const revoked = await makeToken(server, ['web-*']);
  const revokedId = /^vigo-token-([^.]+)/.exec(revoked)![1];
  const answer = await rest(server, 'DELETE', `/api/v1/tokens/${revokedId}`);
  t.equal(answer.status, 200);
  const expired = await makeToken(server, ['web-*'], { expiresInMs: 1000 });
  const expiredAtMs = Date.now() + 1500;
  const wrong: [string, string][] = [
    ['ENROLLMENT_TOKEN_UNKNOWN', `vigo-token-${'0'.repeat(16)}.${secret}.${pin}`],
    ['ENROLLMENT_TOKEN_UNKNOWN', `vigo-token-${id}.${'x'.repeat(32)}.${pin}`],
    ['ENROLLMENT_TOKEN_HOSTNAME', await makeToken(server, ['db-*'])],
    ['ENROLLMENT_TOKEN_REVOKED', revoked],
    ['ENROLLMENT_TOKEN_EXPIRED', expired],
  ];
  await eventually(() => Date.now() > expiredAtMs);
  for (const [code, token] of wrong) {
    const ended = await agent.register(server, token);
    t.equal(ended.code, 4, code);
    t.match(ended.stderr, code);
    await audited(t, server, 'enrollment.refused', code);
  }
  const elsewhere = await agent.register(server, `vigo-token-${id}.${secret}.${'0'.repeat(32)}`);
  t.match(elsewhere.stderr, 'AGENT_SERVER_PIN_MISMATCH', 'a token of another server');
  t.equal((await agent.register(server, good)).code, 0, 'the good one was not spent by them');
  const second = new TestAgent(t, 'web-2');
  t.match((await second.register(server, good)).stderr, 'ENROLLMENT_TOKEN_USED');
  await audited(t, server, 'enrollment.refused', 'ENROLLMENT_TOKEN_USED');
  const envoys = await rest<{ items: unknown[] }>(server, 'GET', '/api/v1/envoys');
  t.equal(envoys.body.items.length, 1);
});

t.test('requests that prove nothing get a code, and the log an entry', async (t) => {
  const server = await TestServer.make(t, { shards: 1 });
  const [envoy, other] = (await server.provision(2)) as [TestEnvoy, TestEnvoy];
  const { grpcPort } = await server.start();
  for (const each of [envoy, other]) each.moveTo(grpcPort);
  t.teardown(() => [envoy, other].forEach((each) => void each.close()));
  const code = async (sent: ReturnType<TestEnvoy['request']>) =>
    (await envoy.send('CheckIn', sent)).detail?.code;
  t.ok(await envoy.checkIn());

  for (const shiftMs of [-clockSkewLimitMs - 60_000, clockSkewLimitMs + 60_000]) {
    const skewed = envoy.request('CheckIn', body, { timestampMs: Date.now() + shiftMs });
    t.equal(await code(skewed), 'REQUEST_CLOCK_SKEW', `${shiftMs} ms off`);
  }

  const mine = envoy.request('CheckIn', body);
  t.equal(await code(mine), undefined);
  t.equal(await code(mine), 'REQUEST_REPLAYED', 'the same once more');
  const early = envoy.request('CheckIn', body);
  t.equal(await code(envoy.request('CheckIn', body)), undefined);
  t.equal(await code(early), 'REQUEST_REPLAYED', 'overtaken by the next one');

  const header = { envoyId: envoy.envoyId, sequence: envoy.sequence + 1 };
  t.equal(await code(other.request('CheckIn', body, header)), 'REQUEST_SIGNATURE');
  t.equal(await code(other.request('CheckIn', body)), 'REQUEST_IDENTITY_MISMATCH');

  const authority = server.home.certificateAuthority.certificatePem;
  const bare = new TestConnection(grpcPort, { authority });
  const refused = await bare.call(methods.CheckIn.path, new Uint8Array(0));
  t.equal(refused.detail?.code, 'REQUEST_CERTIFICATE_REQUIRED');
  t.not(refused.detail?.remedy, '');
  bare.close();
  t.ok(await envoy.checkIn(), 'the honest one goes on');
  t.equal(await server.signal('SIGTERM'), 0, 'a stop hands over what was gathered');
  for (const [type, code] of [
    ['request.clock_skew', 'REQUEST_CLOCK_SKEW'],
    ['request.replayed', 'REQUEST_REPLAYED'],
    ['request.bad_signature', 'REQUEST_SIGNATURE'],
    ['request.identity_mismatch', 'REQUEST_IDENTITY_MISMATCH'],
    ['request.refused', 'REQUEST_CERTIFICATE_REQUIRED'],
  ] as const)
    await audited(t, server, type, code);
});

t.test('certificates of others open nothing', async (t) => {
  const server = await TestServer.make(t, { shards: 1 });
  const { grpcPort } = await server.start();
  const authority = server.home.certificateAuthority.certificatePem;
  const foreign = await testIdentity(await testAuthority());
  const stranger = new TestConnection(grpcPort, { authority, ...foreign });
  t.equal((await stranger.call(methods.CheckIn.path, new Uint8Array(0))).status, -1, 'cut off');
  stranger.close();

  const ours = { ...(await testAuthority()), authority: server.home.certificateAuthority };
  const unknown = await testIdentity(ours);
  const envoy = new TestEnvoy(unknown.envoyId, grpcPort, { authority, ...unknown });
  t.teardown(() => envoy.close());
  const answer = await envoy.send('CheckIn', envoy.request('CheckIn', body));
  t.equal(answer.detail?.code, 'REQUEST_ENVOY_UNKNOWN', 'certified, but enrolled nowhere');
  t.equal(await server.signal('SIGTERM'), 0, 'a stop hands over what was gathered');
  for (const [type, code] of [
    ['request.refused', 'REQUEST_CERTIFICATE_REFUSED'],
    ['request.refused', 'REQUEST_ENVOY_UNKNOWN'],
  ] as const)
    await audited(t, server, type, code);
});

t.test('no bytes on the port disturb the rest of the fleet', async (t) => {
  const server = await TestServer.make(t, { shards: 1 });
  const [envoy] = (await server.provision(1)) as [TestEnvoy];
  const { grpcPort: port } = await server.start();
  envoy.moveTo(port);
  t.teardown(() => envoy.close());
  const pid = server.process?.pid;
  const code = async (bytes: Uint8Array, raw = false) =>
    (await envoy.connection.call(methods.CheckIn.path, bytes, { raw })).detail?.code;

  t.equal(await code(Buffer.from('not protobuf')), 'REQUEST_MALFORMED');
  t.equal(await code(Buffer.from([0, 0, 0, 1, 0, 9]), true), 'REQUEST_MALFORMED', 'cut short');
  t.equal(await code(Buffer.from([1, 0, 0, 0, 1, 9]), true), 'REQUEST_MALFORMED', 'compressed');
  t.equal(await code(Buffer.alloc(0), true), 'REQUEST_MALFORMED', 'no message');
  t.equal(await code(Buffer.alloc(60_000)), 'REQUEST_TOO_LARGE');
  t.equal(await code(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), true), 'REQUEST_TOO_LARGE');
  const wrongBody = envoy.request('CheckIn', Buffer.from([0xff, 0xff]));
  t.equal((await envoy.send('CheckIn', wrongBody)).detail?.code, 'REQUEST_MALFORMED');
  for (let round = 0; round < 20; round++) {
    const noise = await code(randomBytes(round * 40), round % 2 === 0);
    t.match(noise, /^REQUEST_/, `noise of ${round * 40} bytes`);
  }

  const { certificatePem: ca } = server.home.certificateAuthority;
  const ended = (socket: ReturnType<typeof connectTcp>, bytes: Uint8Array) =>
    new Promise<void>((resolve) => {
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
      socket.resume();
      socket.write(bytes);
    });
  await ended(connectTcp(port, '127.0.0.1'), Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await ended(connectTcp(port, '127.0.0.1'), randomBytes(5000));
  const tls = { port, host: '127.0.0.1', ca };
  await ended(connectTls({ ...tls, ALPNProtocols: ['h2'] }), randomBytes(5000));
  await ended(connectTls(tls), Buffer.from('no protocol was agreed upon'));
  t.ok(await envoy.checkIn(), 'the neighbour noticed nothing');
  t.equal(server.process?.pid, pid);
  t.equal(server.process?.exitCode, null, 'and no thread was lost');
  t.notMatch(server.output, 'thread.replaced');
});
