import { writeFileSync } from 'node:fs';
import t from 'tap';
import { generateKeyPem, pemSigner } from '../../agent/platform/crypto.ts';
import type { SignedBundle } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { signManifest } from '../../agent/protocol/manifest.ts';
import { testAuthority } from '../support/test-authority.ts';
import { TestAgent } from './support/agent-process.ts';
import { eventually } from './support/database.ts';
import { Impostor } from './support/impostor.ts';
import { cached, incidents, motd, twoVersions } from './support/two-versions.ts';

t.setTimeout(180_000);

t.test('no server makes an agent enforce what was not meant for it now', async (t) => {
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
