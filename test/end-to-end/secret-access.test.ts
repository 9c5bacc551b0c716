import { chmodSync } from 'node:fs';
import t from 'tap';
import { ResolveSecretsRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { methods } from '../../agent/protocol/methods.ts';
import type { TestEnvoy } from '../support/test-envoy.ts';
import { publish } from './support/agent-process.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';
import { cli } from './support/vigocli.ts';

t.setTimeout(180_000);

const stack = {
  'modules/a.vgo':
    'name: a\nresources:\n  - {name: f, type: file, target_path: /a, content: "secret:db/a"}\n',
  'modules/b.vgo':
    'name: b\nresources:\n  - {name: f, type: file, target_path: /b, content: "secret:db/b"}\n',
  'envoys/all.vgo': '- {match: host-0, modules: [a]}\n- {match: host-1, modules: [b]}\n',
};

async function ask(envoy: TestEnvoy, bundleRoot: Uint8Array, ...references: string[]) {
  const body = ResolveSecretsRequest.encode({ bundleRoot: Buffer.from(bundleRoot), references });
  const request = envoy.request('ResolveSecrets', body.finish());
  const result = await envoy.send('ResolveSecrets', request);
  const answer = methods.ResolveSecrets.response.decode(result.body);
  return { code: result.detail?.code, answer };
}

t.test('an envoy gets the secrets of its own bundle, and hears only of those', async (t) => {
  const server = await TestServer.make(t, { shards: 1, interval: '5m' });
  const [one, two] = await server.provision(2);
  await server.start();
  for (const envoy of [one!, two!]) envoy.moveTo(server.run?.grpcPort ?? 0);
  t.teardown(() => {
    one?.close();
    two?.close();
  });
  const set = (path: string, value: string) =>
    rest(server, 'POST', '/api/v1/secrets/set', { path, value });
  t.match(await set('db/a', 'x'), { body: { code: 'SECRETS_NOT_INITIALISED' } });
  const initialised = await cli(['--home', server.directory, 'secrets', 'init']);
  t.equal(initialised.code, 0, initialised.complaint);
  await set('db/a', 'value of a');
  await t.rejects(publish(server, stack), /there is no secret db\/b/, 'a missing one is refused');
  await set('db/b', 'value of b');
  await publish(server, stack);

  const given = async (envoy: TestEnvoy) => {
    const { bundle } = await envoy.checkIn();
    return bundle?.manifest ?? t.fail('it gets a bundle');
  };
  const [first, second] = [await given(one!), await given(two!)] as const;
  if (typeof first !== 'object' || typeof second !== 'object') return;
  const own = await ask(one!, first.bundleRoot, 'db/a');
  t.equal(own.answer.secrets.length, 1);
  t.notMatch(Buffer.from(own.answer.secrets[0]?.sealedValue ?? []).toString('latin1'), 'value');
  for (const reference of ['db/b', 'db/none', '../db/a', ''])
    t.equal((await ask(one!, first.bundleRoot, 'db/a', reference)).code, 'REQUEST_SECRET_FOREIGN');
  const others = await ask(one!, second.bundleRoot, 'db/b');
  t.equal(others.code, 'REQUEST_SECRET_OUTDATED', "another one's bundle does not help");
  const database = new TestDatabase(server.home.layout.database);
  const refused = () =>
    database.rows<{ details: string }>("SELECT * FROM audit_log WHERE type = 'secret.refused'");
  t.ok(await eventually(() => refused().length > 0), 'the audit log has it');
  t.match(JSON.stringify(refused()[0]), 'db/b', 'with what was asked for');

  const held = ({ bundleRoot, policyVersion, secretsEpoch, expiresAtMs }: typeof first) => ({
    bundleRoot,
    policyVersion,
    secretsEpoch,
    bundleExpiresAtMs: expiresAtMs,
  });
  t.equal((await one!.checkIn(held(first))).bundle, undefined);
  const rotated = await cli(['--home', server.directory, 'secrets', 'rotate', 'db/a']);
  t.equal(rotated.code, 0, rotated.complaint);
  const told = async () => (await one!.checkIn(held(first))).bundle;
  let news = await told();
  for (let turn = 0; news === undefined && turn < 50; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    news = await told();
  }
  t.equal(news?.document.length, 0, 'a new manifest, without the document');
  t.ok((news?.manifest?.secretsEpoch ?? 0) > first.secretsEpoch);
  t.equal((await two!.checkIn(held(second))).bundle, undefined, 'nobody else is told');

  await server.signal('SIGTERM');
  const { rmSync } = await import('node:fs');
  rmSync(server.home.layout.stateDirectory, { recursive: true });
  await server.start();
  for (const envoy of [one!, two!]) envoy.moveTo(server.run?.grpcPort ?? 0);
  news = await told();
  t.ok((news?.manifest?.secretsEpoch ?? 0) > first.secretsEpoch, 'also after the state was lost');
  await server.signal('SIGTERM');
  chmodSync(`${server.directory}/keys/secrets.key`, 0o644);
  await t.rejects(server.start(), /SECRETS_FILE_EXPOSED|may be used by others/, 'fails at once');
});
