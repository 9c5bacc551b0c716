import { X509Certificate } from 'node:crypto';
import t, { type Test } from 'tap';
import { GrpcChannel, type ServerCredentials } from '../../../agent/platform/grpc-channel.ts';
import { ServerRefusal } from '../../../agent/transport.ts';
import { testAuthority, testIdentity } from '../../support/test-authority.ts';
import { FakeAgentServer } from '../support/fake-agent-server.ts';

const authority = await testAuthority();
const identity = await testIdentity(authority);
const path = '/vigo.v1.VigoAgent/CheckIn';
const limits = { deadlineMs: 5000, responseLimit: 1000 };
const mutual: ServerCredentials = {
  kind: 'mutual',
  authority: authority.authority.certificatePem,
  certificate: identity.certificate,
  key: identity.key,
};

async function serve(
  test: Test,
  options: { withoutChain?: boolean } = {},
): Promise<FakeAgentServer> {
  const server = await FakeAgentServer.start(authority, options);
  test.teardown(() => server.stop());
  return server;
}

function open(
  test: Test,
  server: { port: number },
  credentials = mutual,
  host = '127.0.0.1',
): GrpcChannel {
  const channel = new GrpcChannel(host, server.port, credentials);
  test.teardown(() => channel.close());
  return channel;
}

t.test('calls share one connection and bring back the answer', async (t) => {
  const server = await serve(t);
  server.handlers.set(path, (request) => Buffer.concat([request, Buffer.from('!')]));
  const channel = open(t, server);
  for (const text of ['one', 'two'])
    t.equal(String(await channel.call(path, Buffer.from(text), limits)), `${text}!`);
});

t.test('a lost connection comes back without certificates being sent again', async (t) => {
  const server = await serve(t);
  server.handlers.set(path, (request) => request);
  const channel = open(t, server);
  await channel.call(path, Buffer.from('one'), limits);
  t.equal(server.resumed, 0);
  server.dropAll();
  // The loss may be noticed during the first call after it.
  const call = () => channel.call(path, Buffer.from('two'), limits);
  t.equal(String(await call().catch(call)), 'two');
  t.equal(server.resumed, 1);
});

t.test('a refusal arrives with the code, the remedy and the time to come back', async (t) => {
  const server = await serve(t);
  server.handlers.set(path, () => ({ status: 16, code: 'ENVOY_REVOKED', retryAfterMs: 700 }));
  const error = await open(t, server)
    .call(path, Buffer.alloc(1), limits)
    .catch((e) => e);
  t.ok(error instanceof ServerRefusal);
  t.match(error, { serverCode: 'ENVOY_REVOKED', retryAfterMs: 700, status: 16 });
  server.handlers.set(path, () => ({ status: 13, code: '' }));
  const uncoded = await open(t, server)
    .call(path, Buffer.alloc(1), limits)
    .catch((e) => e);
  t.match(uncoded, { code: 'AGENT_SERVER_REFUSED', serverCode: 'GRPC_13' });
  server.handlers.set(path, () => ({ status: 14, code: '' }));
  await t.rejects(open(t, server).call(path, Buffer.alloc(1), limits), {
    code: 'AGENT_SERVER_UNREACHABLE',
  });
});

t.test('a silent, cut, oversized or absent server is told apart', async (t) => {
  const server = await serve(t);
  const channel = open(t, server);
  server.handlers.set(path, () => 'hang');
  await t.rejects(channel.call(path, Buffer.alloc(1), { ...limits, deadlineMs: 50 }), {
    code: 'AGENT_SERVER_TIMEOUT',
  });
  await t.rejects(channel.call(path, Buffer.alloc(1), { ...limits, answerWithinMs: 50 }), {
    code: 'AGENT_SERVER_TIMEOUT',
    message: /50 ms/,
  });
  server.handlers.set(path, () => 'reset');
  await t.rejects(channel.call(path, Buffer.alloc(1), limits), {
    code: 'AGENT_SERVER_UNREACHABLE',
  });
  server.handlers.set(path, () => Buffer.alloc(2000));
  await t.rejects(channel.call(path, Buffer.alloc(1), limits), { code: 'PROTOCOL_TOO_LARGE' });
  server.handlers.set(path, () => Buffer.from('back'));
  t.equal(String(await channel.call(path, Buffer.alloc(1), limits)), 'back', 'and it recovers');
  const { port } = server;
  await server.stop();
  await t.rejects(channel.call(path, Buffer.alloc(1), limits), {
    code: 'AGENT_SERVER_UNREACHABLE',
  });
  const again = await FakeAgentServer.start(authority, { port });
  t.teardown(() => again.stop());
  again.handlers.set(path, () => Buffer.from('restarted'));
  t.equal(String(await channel.call(path, Buffer.alloc(1), limits)), 'restarted');
});

t.test('whatever answers, the agent gets an answer or a coded error, and goes on', async (t) => {
  const server = await serve(t);
  const channel = open(t, server);
  const grpc = 'application/grpc';
  const ok = { 'grpc-status': '0' };
  const framed = Buffer.from([0, 0, 0, 0, 1, 7]);
  const cases: [string, number, string, Uint8Array, Record<string, string>][] = [
    ['AGENT_SERVER_ANSWER', 404, 'text/html', Buffer.from('no'), {}],
    ['AGENT_SERVER_ANSWER', 200, 'text/html', framed, ok],
    ['AGENT_SERVER_UNREACHABLE', 200, grpc, framed, {}],
    ['PROTOCOL_MALFORMED', 200, grpc, Buffer.alloc(0), ok],
    ['PROTOCOL_MALFORMED', 200, grpc, framed.subarray(0, 5), ok],
    ['PROTOCOL_MALFORMED', 200, grpc, Buffer.concat([framed, framed]), ok],
    ['PROTOCOL_MALFORMED', 200, grpc, Buffer.from([1, 0, 0, 0, 1, 7]), ok],
    ['AGENT_SERVER_REFUSED', 200, grpc, framed, { 'grpc-status': 'x', 'grpc-message': '%zz' }],
    [
      'AGENT_SERVER_REFUSED',
      200,
      grpc,
      framed,
      { 'grpc-status': '3', 'vigo-error-bin': '!not base64!' },
    ],
  ];
  for (const [code, http, contentType, bytes, trailers] of cases) {
    server.handlers.set(path, () => ({ http, contentType, bytes, trailers }));
    await t.rejects(channel.call(path, Buffer.alloc(1), limits), { code });
  }
  const good = { http: 200, contentType: grpc, bytes: framed, trailers: ok };
  server.handlers.set(path, () => good);
  t.same([...(await channel.call(path, Buffer.alloc(1), limits))], [7]);
});

t.test('a server of another authority is refused before anything is sent', async (t) => {
  const other = await testAuthority();
  const server = await FakeAgentServer.start(other);
  t.teardown(() => server.stop());
  const code = { code: 'AGENT_SERVER_PIN_MISMATCH' };
  await t.rejects(open(t, server).call(path, Buffer.alloc(1), limits), code);
  const pem = authority.authority.certificatePem;
  for (const pin of [
    { kind: 'authority', pem } as const,
    { kind: 'fingerprint', sha256: authority.authority.fingerprint } as const,
  ])
    await t.rejects(
      open(t, server, { kind: 'pinned', pin }).call(path, Buffer.alloc(1), limits),
      code,
    );
  t.same(server.calls, []);
});

t.test('the pin accepts the true server by file, by fingerprint and by its start', async (t) => {
  const server = await serve(t);
  server.handlers.set(path, () => Buffer.from('yes'));
  const { fingerprint, certificatePem } = authority.authority;
  for (const pin of [
    { kind: 'authority', pem: certificatePem } as const,
    { kind: 'fingerprint', sha256: fingerprint } as const,
    { kind: 'fingerprint', sha256: fingerprint.slice(0, 32) } as const,
  ])
    t.equal(
      String(await open(t, server, { kind: 'pinned', pin }).call(path, Buffer.alloc(1), limits)),
      'yes',
    );
});

t.test('the pin refuses a wrong name, a missing authority and a leaf as authority', async (t) => {
  const server = await serve(t);
  const { fingerprint, certificatePem } = authority.authority;
  const code = { code: 'AGENT_SERVER_PIN_MISMATCH' };
  const pinned = (sha256: string): ServerCredentials => ({
    kind: 'pinned',
    pin: { kind: 'fingerprint', sha256 },
  });
  const leaf = new X509Certificate(authority.serverCertificate).fingerprint256;
  const call = (channel: GrpcChannel) => channel.call(path, Buffer.alloc(1), limits);
  await t.rejects(call(open(t, server, pinned(leaf.replaceAll(':', '').toLowerCase()))), code);
  const bare = await serve(t, { withoutChain: true });
  await t.rejects(call(open(t, bare, pinned(fingerprint))), code);
  const wrongName: ServerCredentials = {
    kind: 'pinned',
    pin: { kind: 'authority', pem: certificatePem },
  };
  await t.rejects(call(open(t, server, wrongName, '127.0.0.2')), {
    code: /AGENT_SERVER_(PIN_MISMATCH|UNREACHABLE)/,
  });
});
