import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import {
  createEndpoint,
  type Endpoint,
  type EndpointOptions,
} from '../../../actors/server/endpoint/endpoint.ts';
import { CheckInRequest, CheckInResponse } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import { methods, register, type SignedMethodName } from '../../../agent/protocol/methods.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import type { Ports } from '../../../runtime/ports/ports.ts';
import { type TestIdentity, testAuthority, testIdentity } from '../../support/test-authority.ts';
import { emptyOf, TestConnection, TestEnvoy } from '../../support/test-envoy.ts';

const ours = await testAuthority();
const foreign = await testAuthority();
const authority = ours.authority.certificatePem;

interface Asked {
  kind: string;
  key: string;
  type: string;
}

/** An endpoint whose actors only say that they were reached. */
async function endpointFor(
  t: Test,
  options: Pick<EndpointOptions, 'unfinishedLimit' | 'coalescing'> = {},
  ports: Ports = nodePorts(),
): Promise<{ endpoint: Endpoint; port: number; asked: Asked[] }> {
  const asked: Asked[] = [];
  const endpoint = createEndpoint(
    {
      ports,
      ask: async (to, type) => {
        asked.push({ kind: to.kind, key: to.key, type });
        const answer =
          type === 'checkIn'
            ? CheckInResponse.encode({ ...emptyOf(CheckInResponse), storeId: 7 })
            : undefined;
        return (answer?.finish() ?? new Uint8Array(0)) as never;
      },
      tell: () => undefined,
      claim: async () => undefined,
      release: () => undefined,
    },
    {
      thread: 'shard-0',
      identity: {
        certificate: ours.serverCertificate,
        key: ours.serverKey,
        authority,
        ticketKeys: randomBytes(48),
      },
      bundlePublicKey: new Uint8Array(32),
      releasePublicKeys: [],
      intervalMs: 15_000,
      reportLimit: 1_000_000,
      connectionLimit: 1000,
      handshakesPerSecond: 1000,
      onConnection: () => undefined,
      onRefusal: () => undefined,
      ...options,
    },
  );
  const port = await endpoint.listen('127.0.0.1', 0);
  t.teardown(() => {
    endpoint.drain(0);
    endpoint.close();
  });
  return { endpoint, port, asked };
}

function envoyOf(identity: TestIdentity, port: number): TestEnvoy {
  return new TestEnvoy(identity.envoyId, port, { authority, ...identity });
}

t.test('an enrolled machine gets its answer', async (t) => {
  const { port, asked, endpoint } = await endpointFor(t);
  const identity = await testIdentity(ours);
  const envoy = envoyOf(identity, port);
  t.teardown(() => envoy.close());
  const answer = await envoy.checkIn();
  t.equal(answer.storeId, 7);
  t.same(asked, [{ kind: 'envoy', key: identity.envoyId, type: 'checkIn' }]);
  t.match(endpoint.counters(), { connections: 1, checkIns: 1, refusals: {} });
});

t.test('nothing but registration is reachable without our certificate', async (t) => {
  const { port, asked, endpoint } = await endpointFor(t);
  const expired = await testIdentity(ours, { validityMs: -1000 });
  const stranger = await testIdentity(foreign);
  for (const name of Object.keys(methods) as SignedMethodName[]) {
    const bare = new TestConnection(port, { authority });
    const refused = await bare.call(methods[name].path, new Uint8Array(10));
    t.equal(refused.detail?.code, 'REQUEST_CERTIFICATE_REQUIRED', `${name} without a certificate`);
    t.not(refused.detail?.remedy, '');
    bare.close();
    for (const [label, identity] of Object.entries({ stranger, expired })) {
      const connection = new TestConnection(port, { authority, ...identity });
      const cut = await connection.call(methods[name].path, new Uint8Array(10));
      t.equal(cut.status, -1, `${name} with the certificate of a ${label} is cut off`);
      connection.close();
    }
  }
  t.same(asked, []);
  t.equal(
    endpoint.counters().refusals.REQUEST_CERTIFICATE_REFUSED,
    2 * Object.keys(methods).length,
  );
});

t.test('an envelope that names another envoy reaches no actor', async (t) => {
  const { port, asked } = await endpointFor(t);
  const victim = await testIdentity(ours);
  const envoy = envoyOf(await testIdentity(ours), port);
  t.teardown(() => envoy.close());
  for (const name of Object.keys(methods) as SignedMethodName[]) {
    const forged = envoy.request(name, new Uint8Array(0), { envoyId: victim.envoyId });
    const refused = await envoy.send(name, forged);
    t.equal(refused.detail?.code, 'REQUEST_IDENTITY_MISMATCH', name);
    t.equal(refused.status, 7);
  }
  t.same(asked, []);
});

t.test('malformed, truncated and oversized messages are answered in code', async (t) => {
  const { port, asked } = await endpointFor(t);
  const envoy = envoyOf(await testIdentity(ours), port);
  t.teardown(() => envoy.close());
  const { connection } = envoy;
  const noise = await connection.call(methods.CheckIn.path, Buffer.from('not protobuf at all'));
  t.equal(noise.detail?.code, 'REQUEST_MALFORMED');
  const badBody = await envoy.send('CheckIn', envoy.request('CheckIn', Buffer.from([0xff, 0xff])));
  t.equal(badBody.detail?.code, 'REQUEST_MALFORMED');
  const large = await envoy.send('CheckIn', envoy.request('CheckIn', Buffer.alloc(6000)));
  t.equal(large.detail?.code, 'REQUEST_TOO_LARGE');
  const huge = await connection.call(methods.Report.path, Buffer.alloc(3_000_000));
  t.equal(huge.detail?.code, 'REQUEST_TOO_LARGE');
  const truncated = await connection.call(methods.CheckIn.path, Buffer.from([0, 0, 0, 1, 0, 9]), {
    raw: true,
  });
  t.equal(truncated.detail?.code, 'REQUEST_MALFORMED');
  const empty = await connection.call(methods.CheckIn.path, Buffer.alloc(0), { raw: true });
  t.equal(empty.detail?.code, 'REQUEST_MALFORMED');
  const compressed = await connection.call(
    methods.CheckIn.path,
    Buffer.from([1, 0, 0, 0, 2, 1, 2]),
    { raw: true },
  );
  t.equal(compressed.detail?.code, 'REQUEST_MALFORMED');
  t.equal((await connection.call('/vigo.v1.VigoAgent/Nothing', Buffer.alloc(0))).status, 12);
  t.same(asked, [], 'no actor was bothered');
  t.equal((await envoy.checkIn()).storeId, 7, 'and the connection still works');
});

t.test('half requests of many cannot fill the memory', async (t) => {
  const { port } = await endpointFor(t, { unfinishedLimit: 1_000_000 });
  const envoy = envoyOf(await testIdentity(ours), port);
  t.teardown(() => envoy.close());
  const half = Buffer.concat([Buffer.from([0, 0, 0x0f, 0, 0]), Buffer.alloc(600_000)]);
  const path = methods.Report.path;
  const first = envoy.connection.session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
  });
  first.on('error', () => undefined);
  await new Promise((resolve) => first.write(half, resolve));
  const second = await envoy.connection.call(path, half, { raw: true });
  t.equal(second.detail?.code, 'REQUEST_OVERLOADED');
  t.not(second.detail?.retryAfterMs, 0, 'and is told to come back');
  const gone = once(first, 'close');
  first.close(constants.NGHTTP2_CANCEL);
  await gone;
  const third = await envoy.connection.call(path, half, { raw: true });
  t.equal(third.detail?.code, 'REQUEST_MALFORMED', 'what was given up made room');
});

t.test('a method without a purpose yet says so', async (t) => {
  const { port } = await endpointFor(t);
  const envoy = envoyOf(await testIdentity(ours), port);
  t.teardown(() => envoy.close());
  const refused = await envoy.send('Work', envoy.request('Work', new Uint8Array(0)));
  t.equal(refused.detail?.code, 'REQUEST_NOT_OFFERED');
});

t.test('a peer that speaks something else is cut off and the rest goes on', async (t) => {
  const { port, endpoint } = await endpointFor(t);
  await new Promise<void>((resolve) => {
    const plain = connect(port, '127.0.0.1', () => plain.write('GET / HTTP/1.1\r\n\r\n'));
    plain.on('error', () => undefined);
    plain.on('close', () => resolve());
    plain.resume();
  });
  await new Promise<void>((resolve) => {
    const old = connectTls({ port, host: '127.0.0.1', ca: authority, maxVersion: 'TLSv1.2' });
    old.on('error', () => undefined);
    old.on('close', () => resolve());
  });
  await new Promise<void>((resolve) => {
    const mute = connectTls({ port, host: '127.0.0.1', ca: authority });
    mute.on('error', () => undefined);
    mute.on('close', () => resolve());
    mute.resume();
  });
  t.equal(endpoint.counters().refusals.CONNECTION_CUT_OFF, 3);
  const envoy = envoyOf(await testIdentity(ours), port);
  t.equal((await envoy.checkIn()).storeId, 7);
  envoy.close();
});

t.test('a registration with too many bytes or another version reaches nobody', async (t) => {
  const { port, asked } = await endpointFor(t);
  const bare = new TestConnection(port, { authority });
  t.teardown(() => bare.close());
  const large = await bare.call(register.path, Buffer.alloc(20_000));
  t.equal(large.detail?.code, 'REQUEST_TOO_LARGE');
  const other = await bare.call(
    register.path,
    register.request.encode({ ...emptyOf(register.request), protocolVersion: 9 }).finish(),
  );
  t.equal(other.detail?.code, 'REQUEST_PROTOCOL_VERSION');
  t.same(asked, []);
});

t.test('an unsigned field of later versions passes through', async (t) => {
  const { port } = await endpointFor(t);
  const envoy = envoyOf(await testIdentity(ours), port);
  t.teardown(() => envoy.close());
  const body = Buffer.concat([
    CheckInRequest.encode({ ...emptyOf(CheckInRequest), state: 1 }).finish(),
    Buffer.from([0x9a, 0x3f, 1, 65]),
  ]);
  const bytes = SignedRequest.encode(envoy.request('CheckIn', body)).finish();
  t.equal((await envoy.connection.call(methods.CheckIn.path, bytes)).status, 0);
});

t.test('a shard that is asked all the time lets check-ins gather, but no report', async (t) => {
  const given = nodePorts();
  // A time that passes with the requests: some hundreds a second, however fast this machine is.
  let readings = 0;
  const monotonicMs = () => readings++ * 0.5;
  const ports = { ...given, clock: { ...given.clock, monotonicMs } };
  const pauses: number[] = [];
  const coalescing = { delayMsMax: 10, pause: (delayMs: number) => void pauses.push(delayMs) };
  const { port } = await endpointFor(t, { coalescing }, ports);
  const envoy = envoyOf(await testIdentity(ours), port);
  t.teardown(() => envoy.close());
  for (let sent = 0; sent < 2_000 && pauses.length === 0; sent++) await envoy.checkIn();
  t.not(pauses.length, 0, 'it rests between two looks');
  t.ok(pauses.every((delayMs) => delayMs > 0 && delayMs <= 10));
  const before = pauses.length;
  const empty = new Uint8Array(0);
  for (let sent = 0; sent < 20; sent++) await envoy.send('Report', envoy.request('Report', empty));
  t.equal(pauses.length, before, 'what waits for the disk is not held up');
});
