import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import t from 'tap';
import { CallRefused, type TestEnvoy } from '../../support/test-envoy.ts';
import { filesStack, publish, TestAgent, writeStack } from './agent-process.ts';
import { eventually, TestDatabase } from './database.ts';
import { rest } from './rest.ts';
import { TestServer } from './server-process.ts';
import { SmallDisk } from './small-disk.ts';

t.setTimeout(240_000);

/** What the server said to a report: the sequence that is durable, or why it is refused. */
async function tryReport(envoy: TestEnvoy, next: number): Promise<number | CallRefused> {
  try {
    return (await envoy.report({ reportSequence: next })).durableReportSequence;
  } catch (error) {
    if (error instanceof CallRefused) return error;
    throw error;
  }
}

t.test('a server whose disk is full refuses, loses nothing and recovers', async (t) => {
  const parent = mkdtempSync('/tmp/vigo-full-');
  t.teardown(() => rmSync(parent, { recursive: true, force: true }));
  const disk = new SmallDisk(t, parent, 48);
  process.env.TMPDIR = parent;
  const server = await TestServer.make(t, { shards: 1 });
  const [envoy] = (await server.provision(1)) as [TestEnvoy];
  envoy.moveTo((await server.start()).grpcPort);
  t.teardown(() => envoy.close());
  const { process: first } = server;
  let acknowledged = 0;
  for (; acknowledged < 5; ) acknowledged = (await envoy.report()).durableReportSequence;

  const refused: CallRefused[] = [];
  for (let round = 0; round < 400 && refused.length < 3; round++) {
    disk.fill();
    const said = await tryReport(envoy, acknowledged + 1);
    if (said instanceof CallRefused) refused.push(said);
    else acknowledged = said;
  }
  t.equal(refused.length, 3, 'reports are refused');
  for (const { result } of refused) {
    t.match(result.detail?.code, /^(RUNTIME|REQUEST)_/, `${result.detail?.code}`);
    t.not(result.detail?.remedy, '');
    t.ok((result.detail?.retryAfterMs ?? 0) > 0, 'with a time to come back');
  }
  t.equal(first?.exitCode, null, 'the process lives');
  disk.free();
  t.ok(
    await eventuallyAsync(async () => {
      const said = await tryReport(envoy, acknowledged + 1);
      if (said instanceof CallRefused) return false;
      acknowledged = said;
      return true;
    }),
    'and takes reports again when there is space',
  );
  t.equal(first, server.process, 'without a restart');
  disk.fill();
  await server.kill();
  disk.free();
  envoy.moveTo((await server.start()).grpcPort);
  t.ok((await envoy.checkIn()).storeId > 0, 'also after a kill on a full disk');
  t.equal(await server.signal('SIGTERM'), 0);
  const database = new TestDatabase(server.home.layout.database);
  const all = Array.from({ length: acknowledged }, (_, index) => index + 1);
  t.same(database.reports().get(envoy.envoyId)?.slice(0, acknowledged), all, 'nothing is lost');
  await database.verifyAudit();
  process.env.TMPDIR = '/tmp';
});

async function eventuallyAsync(check: () => Promise<boolean>): Promise<boolean> {
  for (let round = 0; round < 200; round++) {
    if (await check()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

t.test('what a full disk refuses is not half done: publish, freeze and secrets', async (t) => {
  const parent = mkdtempSync('/tmp/vigo-full-');
  t.teardown(() => rmSync(parent, { recursive: true, force: true }));
  const disk = new SmallDisk(t, parent, 48);
  process.env.TMPDIR = parent;
  const server = await TestServer.make(t, { shards: 1 });
  process.env.TMPDIR = '/tmp';
  await server.start();
  await publish(server, filesStack({ '/etc/motd': 'one' }));
  writeStack(server, filesStack({ '/etc/motd': 'two' }));
  disk.fill();
  const refusedWith = async (path: string, body: object) =>
    (await rest<{ code: string }>(server, 'POST', path, body)).body.code;
  t.equal(await refusedWith('/api/v1/config/publish', {}), 'PUBLISH_DISK');
  t.equal(await refusedWith('/api/v1/config/freeze', { reason: 'm' }), 'PUBLISH_DISK');
  t.equal(await refusedWith('/api/v1/secrets/init', {}), 'SECRETS_DISK');
  const status = () =>
    rest<{ version: number; freeze?: unknown }>(server, 'GET', '/api/v1/config/status');
  disk.free();
  const { body } = await status();
  t.match(body, { version: 1, freeze: undefined }, 'the live policy is untouched');
  t.equal((await rest(server, 'POST', '/api/v1/secrets/init', {})).status, 200, 'no key is left');
  const again = await rest(server, 'POST', '/api/v1/config/publish', {});
  t.match(again, { status: 200, body: { version: 2 } }, 'with space it goes on');
  t.equal(await server.signal('SIGTERM'), 0);
  await new TestDatabase(server.home.layout.database).verifyAudit();
});

t.test('an agent on full disks goes on as far as it can, and says what it cannot', async (t) => {
  const server = await TestServer.make(t, { interval: '1s', shards: 1 });
  await server.start();
  const agent = new TestAgent(t);
  const state = new SmallDisk(t, agent.stateDirectory, 2);
  const data = new SmallDisk(t, agent.at('/data'), 1);
  const stack = { '/etc/motd': 'hello\n', '/data/big': `${'x'.repeat(20_000)}\n` };
  await publish(server, filesStack(stack));
  await agent.enroll(server);
  t.equal((await agent.vigo('run')).code, 0);

  state.fill();
  agent.start();
  t.ok(await agent.repairs('/etc/motd'), 'without room for its memory it repairs');
  t.ok(await eventually(() => agent.log.includes('AGENT_STATE_WRITE')), 'and says so');
  const database = new TestDatabase(server.home.layout.database);
  const told = () =>
    JSON.stringify(
      database.rows("SELECT details FROM audit_log WHERE type = 'agent.incident'"),
    ).includes('AGENT_STATE_WRITE');
  t.ok(await eventually(told), 'also to the server');
  const runs = () => database.reports().get(agent.envoyId)?.length ?? 0;
  const before = runs();
  t.ok(await agent.repairs('/etc/motd'));
  t.ok(await eventually(() => runs() > before), 'results that the disk refused arrive');
  state.free();
  t.equal(await agent.end('SIGTERM'), 0);

  rmSync(agent.at('/data/big'));
  rmSync(agent.at('/etc/motd'));
  data.fill();
  const blocked = await agent.vigo('run');
  t.equal(blocked.code, 3);
  t.match(blocked.stdout, /(blocked|failed) +m\/f1: .*\[AGENT_DISK_FULL\]/);
  t.equal(agent.read('/etc/motd'), 'hello\n', 'what is on another disk is enforced');
  t.same(readdirSync(agent.at('/data')), ['ballast'], 'nothing half-written stays');
  data.free();
  t.equal((await agent.vigo('run')).code, 0);
  t.equal(agent.read('/data/big')?.length, 20_001, 'and with space it is repaired');
  t.equal((await agent.vigo('run', '--dry-run')).code, 0);
});
