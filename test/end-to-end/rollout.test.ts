import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { versionAgeLimitMs } from '../../actors/envoy/policy-view.ts';
import type { PublishResult, PublishStatus } from '../../actors/publish/messages.ts';
import { ConvergingEnvoy } from './support/converging-envoy.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';

const fleetSize = 12;

t.test('a publish that breaks a third of the fleet is rolled back by itself', async (t) => {
  const server = await TestServer.make(t, {
    interval: '1s',
    set: ['publish.observe=30s', 'publish.threshold=20'],
  });
  const provisioned = await server.provision(fleetSize);
  const { grpcPort } = await server.start();
  for (const envoy of provisioned) envoy.moveTo(grpcPort);
  t.teardown(() => provisioned.forEach((envoy) => void envoy.close()));
  const envoys = provisioned.map((envoy) => new ConvergingEnvoy(envoy));
  const round = () => oneInterval(envoys);
  const publish = async (message: string) =>
    (await rest<PublishResult>(server, 'POST', '/api/v1/config/publish', { message })).body;
  const database = new TestDatabase(server.home.layout.database);

  writeStack(server.home.layout.stacksDirectory, 'first', 'first');
  t.match(await publish('first'), { version: 1, changed: true });
  await round();
  await round();
  t.ok(envoys.every(({ content }) => content === 'first'));

  // host-0 to host-3 get what does not work, all others what does.
  writeStack(server.home.layout.stacksDirectory, 'second', 'broken');
  const second = await publish('a mistake');
  t.match(second, { version: 2, rollout: { status: 'watching', lastGoodVersion: 1 } });

  await round();
  t.equal(envoys.filter(({ content }) => content === 'broken').length, 4, 'a third is broken');
  const rolledBack = await eventually(() => database.auditTypes().includes('rollout.rolled_back'));
  t.ok(rolledBack, 'before anybody checked in a second time');

  await round();
  t.ok(
    envoys.every(({ content }) => content === 'first'),
    'and in the second interval it is over',
  );
  t.ok(
    envoys.every(({ version }) => version === 3),
    'version numbers rise',
  );

  const polled = await rest(server, 'GET', '/api/v1/config/version');
  t.same(polled.body, { version: 3 }, 'what a program polls');
  const { body: status } = await rest<PublishStatus>(server, 'GET', '/api/v1/config/status');
  t.match(status, {
    version: 3,
    publishedBy: 'server',
    origin: { kind: 'automatic-rollback', of: 1 },
    rollout: { version: 2, status: 'rolled-back' },
  });
  t.match(status.rollout?.reason ?? '', /^\d+ of 12 envoys fail/);

  const story = database
    .rows<{ type: string }>('SELECT type FROM audit_log ORDER BY sequence')
    .map(({ type }) => type)
    .filter((type) => type.startsWith('policy.') || type.startsWith('rollout.'));
  t.same(story, [
    'policy.publish_started',
    'policy.published',
    'policy.publish_started',
    'policy.published',
    'rollout.started',
    'rollout.stage_started',
    'rollout.stopped',
    'rollout.rolled_back',
    'policy.rolled_back',
  ]);
  t.equal(await server.signal('SIGTERM'), 0);
  await database.verifyAudit();
});

t.test(
  'a rollout survives the end of the server and the loss of its state, and stops afterwards',
  async (t) => {
    const server = await TestServer.make(t, {
      interval: '1s',
      set: ['publish.stages=host-0,host-1'],
    });
    const provisioned = await server.provision(3);
    const { grpcPort } = await server.start();
    t.teardown(() => provisioned.forEach((envoy) => void envoy.close()));
    for (const envoy of provisioned) envoy.moveTo(grpcPort);
    const envoys = provisioned.map((envoy) => new ConvergingEnvoy(envoy));
    const round = () => oneInterval(envoys);
    const publish = (message: string) =>
      rest<PublishResult>(server, 'POST', '/api/v1/config/publish', { message });

    writeStack(server.home.layout.stacksDirectory, 'first', 'first');
    await publish('first');
    await round();
    writeStack(server.home.layout.stacksDirectory, 'broken', 'broken');
    const { body } = await publish('second');
    t.match(body.rollout, { stages: ['host-0', 'host-1', '100%'] });
    await server.kill();
    rmSync(server.home.layout.stateDirectory, { recursive: true });
    const again = await server.start();
    for (const envoy of provisioned) envoy.moveTo(again.grpcPort);

    await round();
    const [first, ...others] = envoys;
    t.equal(first?.content, 'broken', 'the stage is where it was');
    t.ok(
      others.every(({ content }) => content === 'first'),
      'nobody else was reached',
    );
    const database = new TestDatabase(server.home.layout.database);
    t.ok(await eventually(() => database.auditTypes().includes('rollout.rolled_back')));
    await round();
    t.ok(envoys.every(({ content }) => content === 'first'));
  },
);

/** Every envoy checks in once; not before every shard may be expected to know the newest version. */
async function oneInterval(envoys: readonly ConvergingEnvoy[]): Promise<void> {
  await setTimeout(versionAgeLimitMs);
  await Promise.all(envoys.map((envoy) => envoy.pass()));
}

/** host-0 to host-3 get `some`, all others `most`. */
function writeStack(directory: string, most: string, some: string): void {
  mkdirSync(join(directory, 'modules'), { recursive: true });
  const module = (name: string, content: string) =>
    `name: ${name}\nresources:\n  - {type: file, target_path: /etc/x, content: ${content}}\n`;
  writeFileSync(join(directory, 'modules/most.vgo'), module('most', most));
  writeFileSync(join(directory, 'modules/some.vgo'), module('some', some));
  writeFileSync(
    join(directory, 'site.vgo'),
    'envoys:\n  - {match: "host-[0-3]", modules: [some]}\n  - {match: "*", modules: [most]}\n',
  );
}
