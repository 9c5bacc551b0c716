import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { filesStack, makeToken, publish, stackOf, TestAgent } from './support/agent-process.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';
import { cli } from './support/vigocli.ts';

t.setTimeout(400_000);

/** Everything about a tree that a write would change: names, kinds, modes, contents, times. */
function digest(directory: string): string {
  const hash = createHash('sha256');
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.sort((a, b) =>
    join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
  )) {
    const path = join(entry.parentPath, entry.name);
    const { mode, mtimeMs, ctimeMs, ino } = lstatSync(path);
    hash.update(`${path} ${mode} ${mtimeMs} ${ctimeMs} ${ino}\n`);
    if (entry.isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

t.test('one machine from its first dry run to a day without a server', async (t) => {
  const server = await TestServer.make(t, { shards: 1 });
  await server.start();
  const agent = new TestAgent(t);
  const declared = { '/etc/motd': 'hello\n', '/srv/deep/a': 'a\n' };
  await publish(server, filesStack(declared));
  t.equal((await agent.vigo('status')).code, 4, 'not registered');
  await agent.enroll(server);

  writeFileSync(agent.at('kept'), 'kept');
  const untouched = digest(agent.at('.'));
  const dry = await agent.vigo('run', '--dry-run');
  t.equal(dry.code, 2, 'changes are pending');
  t.match(dry.stdout, /would be created m\/f0/);
  t.equal(digest(agent.at('.')), untouched, 'a dry run wrote nothing');
  t.equal((await agent.vigo('run')).code, 0);
  t.equal(agent.read('/srv/deep/a'), 'a\n');
  const converged = digest(agent.at('.'));
  const again = await agent.vigo('run', '--dry-run');
  t.equal(again.code, 0, 'nothing is pending');
  t.match(again.stdout, '2 resources: 2 as declared, 0 to change');
  t.equal((await agent.vigo('run')).code, 0);
  t.equal(digest(agent.at('.')), converged, 'a second pass writes nothing either');

  const impossible = stackOf(
    '  - {name: ok, type: file, target_path: /etc/motd, content: "hello\\n"}\n' +
      '  - {name: bad, type: file, target_path: /etc/motd/below, content: x}\n',
  );
  await publish(server, impossible);
  const partial = await agent.vigo('run');
  t.equal(partial.code, 3, 'some failed, the rest is enforced');
  t.match(partial.stdout, /m\/bad: .*\[AGENT_/);
  await server.signal('SIGTERM');
  rmSync(agent.at('/etc/motd'));
  await withoutServer(t, server, agent);
});

/** The server is away: what an owner learns on the machine itself. */
async function withoutServer(t: Tap, server: TestServer, agent: TestAgent): Promise<void> {
  t.equal((await agent.vigo('run')).code, 3, 'failed resources weigh more than a lost server');
  t.equal(agent.read('/etc/motd'), 'hello\n', 'which does not keep it from enforcing');
  await server.start();
  await publish(server, filesStack({ '/etc/motd': 'new\n' }));
  t.equal((await agent.vigo('run', '--server', address(server))).code, 0);
  await server.kill();
  t.equal((await agent.vigo('run', '--server', address(server))).code, 5, 'nobody was told');
  rmSync(agent.at('/etc/motd'));
  t.equal((await agent.vigo('run', '--offline')).code, 0);

  const status = await agent.vigo('status', '--all');
  t.equal(status.code, 0);
  t.match(status.stdout, new RegExp(`^envoy +${agent.envoyId}$`, 'm'));
  t.match(
    status.stdout,
    /^server .*UNREACHABLE; last answer .*\n +since then AGENT_SERVER_UNREACHABLE/m,
  );
  t.match(status.stdout, /^policy +version 3, 1 resources, (valid until|never expires)/m);
  t.match(status.stdout, /^pending +[1-9]\d* results not yet settled/m);
  t.match(
    status.stdout,
    /^last pass .*offline: 1 resources, 1 changed, 0 skipped, 0 blocked, 0 failed/m,
  );
  t.match(
    status.stdout,
    /^created +m\/f0.*\n +last change .*\(drift/m,
    'the state of each resource',
  );
  const traits = await agent.vigo('traits', 'os.family', '--json');
  t.equal(traits.code, 0);
  t.type(JSON.parse(traits.stdout), 'string');
}

type Tap = Pick<typeof t, 'equal' | 'match' | 'type' | 'ok'>;

function address(server: TestServer): string {
  return `localhost:${server.run?.grpcPort}`;
}

t.test('a revoked machine is told, says so, waits longer, and never comes back', async (t) => {
  const server = await TestServer.make(t, { interval: '1s', shards: 1 });
  await server.start();
  await publish(server, filesStack({ '/etc/motd': 'hello\n' }));
  const lost = new TestAgent(t, 'web-1');
  const kept = new TestAgent(t, 'web-2');
  for (const agent of [lost, kept]) {
    await agent.enroll(server);
    agent.start('--log-level', 'debug');
    t.ok(await eventually(() => agent.read('/etc/motd') === 'hello\n'));
  }
  const revoked = await cli([
    '--home',
    server.directory,
    'envoys',
    'revoke',
    lost.envoyId,
    ...['--reason', 'stolen', '--confirm', 'web-1'],
  ]);
  t.equal(revoked.code, 0, revoked.complaint);
  const refusals = () =>
    lost.lines().filter(({ message }) => message.includes('REQUEST_ENVOY_REVOKED'));
  t.ok(await eventually(() => refusals().length > 0), 'the log says so');
  t.match((await lost.status()).contactFailure, 'REQUEST_ENVOY_REVOKED', 'status says so');
  t.ok(await lost.repairs('/etc/motd'), 'what was declared stays in force');
  const before = refusals().length;
  const shown = refusals().filter(({ level }) => level !== 'debug').length;
  t.ok(await eventually(() => refusals().length > before, 60_000), 'it asks again');
  t.ok(refusals().length < 20, `${refusals().length} attempts are no hot loop`);
  t.equal(shown, 1, 'and the log is not filled with it');
  await lost.end('SIGTERM');

  const refused = await lost.vigo('run');
  t.equal(refused.code, 4);
  t.match(refused.stderr, 'REQUEST_ENVOY_REVOKED');
  const token = await makeToken(server, ['web-1']);
  const anew = await lost.register(server, token, '--force');
  t.equal(anew.code, 0, anew.stderr);
  const { envoyId } = JSON.parse(anew.stdout) as { envoyId: string };
  t.not(envoyId, lost.envoyId, 'with a new token it is another envoy');
  t.equal((await lost.vigo('run')).code, 0);
  const old = await rest<{ state: string }>(server, 'GET', `/api/v1/envoys/${lost.envoyId}`);
  t.match(JSON.stringify(old.body), 'revoked', 'the old one stays revoked');
  t.ok(await kept.repairs('/etc/motd'), 'the other machine notices nothing');
  const database = new TestDatabase(server.home.layout.database);
  const seen = () => database.auditTypes();
  t.ok(await eventually(() => seen().includes('request.revoked')), 'the audit log has it');
});

t.test('one trace id leads from the log of a machine to the log of its server', async (t) => {
  const server = await TestServer.make(t, { interval: '1s', shards: 1 });
  writeFileSync(server.home.layout.configFile, 'log: {level: debug, format: json}\n');
  await server.start();
  const agent = new TestAgent(t);
  await agent.enroll(server);
  agent.start('--log-level', 'debug');
  const traces = () =>
    agent.lines().flatMap(({ message, traceId = '' }) => (message === 'checked in' ? traceId : []));
  t.ok(await eventually(() => traces().some((id) => id !== '' && server.output.includes(id))));
  const shared = traces().find((id) => server.output.includes(id))!;
  const line = server.output.split('\n').find((text) => text.includes(shared)) ?? '';
  t.match(line, /served CheckIn/);
  t.match(line, agent.envoyId);
});
