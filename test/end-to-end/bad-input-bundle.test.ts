import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { decodeChecked, encodeChecked } from '../../agent/offline/checked-file.ts';
import { generateKeyPem, pemSigner } from '../../agent/platform/crypto.ts';
import { SignedBundle } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { signManifest } from '../../agent/protocol/manifest.ts';
import { testAuthority } from '../support/test-authority.ts';
import { filesStack, publish, TestAgent } from './support/agent-process.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { Impostor } from './support/impostor.ts';
import { TestServer } from './support/server-process.ts';

t.setTimeout(180_000);

const motd = '/etc/motd';

function bundleFile(agent: TestAgent): string {
  return join(agent.stateDirectory, 'bundle');
}

/** What stands in the agent's cache, without the checksum around it. */
function cached(agent: TestAgent): SignedBundle {
  const content = readFileSync(bundleFile(agent));
  const whole = decodeChecked(content);
  if (whole === undefined) throw new Error('the cache is not whole');
  return SignedBundle.decode(whole);
}

/** What agents reported and the audit log holds, as text. */
function incidents(server: TestServer): string {
  const database = new TestDatabase(server.home.layout.database);
  return JSON.stringify(
    database.rows("SELECT details FROM audit_log WHERE type = 'agent.incident'"),
  );
}

/** An agent that has had version 1 and enforces version 2; its bundles of both. */
async function twoVersions(t: Test) {
  const server = await TestServer.make(t, { shards: 1 });
  await server.start();
  const agent = new TestAgent(t);
  await publish(server, filesStack({ [motd]: 'old\n' }));
  await agent.enroll(server);
  t.equal((await agent.vigo('run')).code, 0);
  const first = cached(agent);
  await publish(server, filesStack({ [motd]: 'new\n' }));
  t.equal((await agent.vigo('run')).code, 0);
  t.equal(agent.read(motd), 'new\n');
  return { server, agent, first, second: cached(agent) };
}

t.test('no server and no disk makes an agent enforce what was not meant for it now', async (t) => {
  const { server, agent, first, second } = await twoVersions(t);
  const other = new TestAgent(t, 'web-2');
  await other.enroll(server);
  t.equal((await other.vigo('run')).code, 0);
  const impostor = Impostor.of(server);
  const port = await impostor.listen();
  t.teardown(() => impostor.close());
  const stranger = pemSigner(generateKeyPem());
  const newer = { ...second.manifest!, policyVersion: 9 };
  const document = Buffer.from(Buffer.from(second.document).toString().replace('new', 'bad'));
  const lies: [string, SignedBundle][] = [
    ['PROTOCOL_BUNDLE_ROLLBACK', first],
    ['PROTOCOL_BUNDLE_WRONG_ENVOY', cached(other)],
    ['PROTOCOL_BUNDLE_SIGNATURE', { ...second, manifest: newer }],
    [
      'PROTOCOL_BUNDLE_SIGNATURE',
      { ...second, manifest: newer, signature: Buffer.from(signManifest(newer, stranger)) },
    ],
    ['PROTOCOL_BUNDLE_ROOT_MISMATCH', { ...second, document }],
    ['PROTOCOL_BUNDLE_MALFORMED', { ...second, signature: Buffer.alloc(3) }],
  ];
  for (const [code, lie] of lies) {
    impostor.bundle = lie;
    writeFileSync(agent.at(motd), 'drift\n');
    const ended = await agent.vigo('run', '--server', `localhost:${port}`);
    t.match(ended.stderr, code, `${code} is said`);
    t.equal(agent.read(motd), 'new\n', 'and the policy that it had is enforced');
  }
  impostor.bundle = undefined;
  t.same(cached(agent), second, 'what it holds is unchanged');
  t.equal((await agent.vigo('run')).code, 0, 'the true server is still the server');
  for (const [code] of lies)
    t.ok(await eventually(() => incidents(server).includes(code)), `and has ${code} audited`);
});

t.test('answers that are no answers leave the policy in force', async (t) => {
  const { server, agent } = await twoVersions(t);
  const impostor = Impostor.of(server);
  const port = await impostor.listen();
  const foreign = await testAuthority();
  const stranger = new Impostor({ cert: foreign.serverCertificate, key: foreign.serverKey });
  const strangerPort = await stranger.listen();
  t.teardown(() => {
    impostor.close();
    stranger.close();
  });
  const run = async (at: number) => {
    writeFileSync(agent.at(motd), 'drift\n');
    const ended = await agent.vigo('run', '--server', `localhost:${at}`);
    t.equal(agent.read(motd), 'new\n');
    return ended;
  };
  const raw: [string, Buffer][] = [
    ['PROTOCOL_MALFORMED', Buffer.from([0, 0, 0, 0, 3, 0xff, 0xff, 0xff])],
    ['PROTOCOL_MALFORMED', Buffer.from([0, 0, 0, 0, 9, 1])],
    ['PROTOCOL_TOO_LARGE', Buffer.alloc(40_000_000)],
  ];
  for (const [code, bytes] of raw) {
    impostor.raw = bytes;
    t.match((await run(port)).stderr, code);
  }
  const asked = stranger.requests;
  const ended = await run(strangerPort);
  t.match(ended.stderr, 'AGENT_SERVER_PIN_MISMATCH', 'a server of another authority');
  t.equal(stranger.requests, asked, 'hears nothing from the agent');
});

t.test('a cache that somebody wrote is refused, audited and fetched anew', async (t) => {
  const { server, agent, first, second } = await twoVersions(t);
  const other = new TestAgent(t, 'web-2');
  await other.enroll(server);
  t.equal((await other.vigo('run')).code, 0);
  const document = Buffer.from(Buffer.from(second.document).toString().replace('new', 'bad'));
  const whole = (bundle: SignedBundle) => encodeChecked(SignedBundle.encode(bundle).finish());
  const flipped = readFileSync(bundleFile(agent));
  flipped[flipped.length >> 1]! ^= 1;
  writeFileSync(bundleFile(agent), flipped);
  t.match((await agent.status()).policyProblem, 'AGENT_CACHE_ALTERED', 'status says so');
  const caches: [string, Uint8Array][] = [
    ['a bit changed', flipped],
    ['cut short', flipped.subarray(0, 40)],
    ['the document changed, the checksum right', whole({ ...second, document })],
    ['an older version, as it was signed', whole(first)],
    ['of another envoy, as it was signed', readFileSync(bundleFile(other))],
  ];
  for (const [what, bytes] of caches) {
    writeFileSync(bundleFile(agent), bytes);
    writeFileSync(agent.at(motd), 'drift\n');
    const alone = await agent.vigo('run', '--offline');
    t.equal(alone.code, 4, `${what}: without a server nothing is enforced`);
    t.equal(agent.read(motd), 'drift\n');
    t.match(alone.stderr, 'AGENT_CACHE_ALTERED');
    t.equal((await agent.vigo('run')).code, 0);
    t.equal(agent.read(motd), 'new\n', 'with a server it is whole again');
  }
  const told = () => incidents(server).includes('AGENT_CACHE_ALTERED');
  t.ok(await eventually(told), 'and the server has it in its audit log');
});
