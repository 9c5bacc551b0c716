import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Finding } from '../../actors/doctor/view.ts';
import { CheckInRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { FakeApi } from '../support/fake-api.ts';
import { programFile } from '../support/program.ts';
import { requires } from '../support/requires.ts';
import { emptyOf, type TestEnvoy } from '../support/test-envoy.ts';
import { filesStack, publish } from './support/agent-process.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { shellWithVigocli } from './support/documented-commands.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';
import { cli } from './support/vigocli.ts';

interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly checked: readonly string[];
}

const work = mkdtempSync(join(tmpdir(), 'vigo-doctor-'));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const server = await TestServer.make(t, { interval: '1s', shards: 1 });
const envoys = await server.provision(3);
t.teardown(() => envoys.forEach((envoy) => void envoy.close()));
const { layout } = server.home;
const run = await server.start();
const local = ['--home', server.directory];

async function doctor(...args: string[]): Promise<Diagnosis & { code: number | null }> {
  const { code, out, complaint } = await cli([...args, 'doctor', '--json']);
  t.match(out, /^\{/, complaint);
  return { code, ...(JSON.parse(out) as Diagnosis) };
}

const found = ({ findings }: Diagnosis, check: string) =>
  findings.find((finding) => finding.check === check);

/** Asks the server itself, without the way there. */
async function examined(): Promise<Diagnosis> {
  return (await rest<Diagnosis>(server, 'GET', '/api/v1/doctor')).body;
}

t.test('a server in order has nothing wrong but what is new about it', async (t) => {
  await publish(server, filesStack({ '/etc/motd': 'hello\n' }));
  t.equal((await rest(server, 'POST', '/api/v1/backups', {})).status, 200);
  const diagnosis = await doctor(...local);
  t.same(
    diagnosis.findings.filter(({ check }) => check !== 'slow-thread' && check !== 'disk-space'),
    [],
  );
  t.equal(diagnosis.code, 0);
  t.ok(diagnosis.checked.length > 20, 'and says what was looked at');
  const shell = shellWithVigocli(work, server.directory);
  const page = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8');
  const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, text = '']) =>
    text.trim().split('\n'),
  );
  t.ok(lines.length >= 4, 'the examples of the page');
  for (const line of lines.filter((each) => !each.includes('--watch'))) {
    const { code, output } = await shell(line);
    t.equal(code, 0, `${line}: ${output}`);
  }
  t.match((await shell(lines[0] ?? '')).output, /127\.0\.0\.1:\d+: \d+ checks/);
  for (const check of diagnosis.checked) t.match(page, `\`${check}\``, `${check} is explained`);
});

t.test('between here and the server', async (t) => {
  const away = await doctor('--server', '127.0.0.1:1', ...files());
  t.equal(away.code, 5);
  t.match(found(away, 'network')?.finding, /nothing listens on 127\.0\.0\.1:1/);
  const unknown = await doctor('--server', 'no-such-host.invalid', ...files());
  t.equal(unknown.code, 5);
  t.match(found(unknown, 'network')?.finding, /name .* is not known|does not answer/);
  const agents = await doctor('--server', `127.0.0.1:${run.grpcPort}`, ...files());
  t.equal(agents.code, 5, 'the port of the agents');
  t.ok(found(agents, 'service') ?? found(agents, 'tls'), JSON.stringify(agents.findings));
  const mute = await plainServer();
  const plain = await doctor('--server', `127.0.0.1:${mute.port}`, ...files());
  mute.server.close();
  t.equal(plain.code, 5);
  t.match(found(plain, 'tls')?.finding, /speaks no TLS/);

  const other = await FakeApi.open();
  t.teardown(() => other.close());
  const foreign = ['--ca-file', join(other.directory, 'ca.pem'), '--token-file', layout.adminToken];
  const untrusted = await doctor('--server', `127.0.0.1:${run.apiPort}`, ...foreign);
  t.equal(untrusted.code, 4);
  t.match(found(untrusted, 'server-certificate')?.finding, /issued by another authority/);
  const strange = await doctor(...other.flags);
  t.match(found(strange, 'service')?.finding, /not the REST API/, 'another program');
});

t.test('who asks', async (t) => {
  const made = await rest<{ token: string }>(server, 'POST', '/api/v1/auth/tokens', {
    name: 'short',
    role: 'viewer',
    expiresInMs: 3_600_000,
  });
  const file = join(work, 'token');
  writeFileSync(file, made.body.token, { mode: 0o644 });
  const soon = await doctor(...local, '--token-file', file);
  t.match(found(soon, 'token')?.finding, /token of short ends on/);
  t.match(found(soon, 'token-file')?.finding, /other accounts may read the token/);
  t.equal(soon.code, 1);
  await rest(server, 'DELETE', '/api/v1/auth/tokens/short');
  const revoked = await doctor(...local, '--token-file', file);
  t.equal(revoked.code, 4);
  t.match(found(revoked, 'token')?.finding, /revoked/);
  const expired = await rest<{ token: string }>(server, 'POST', '/api/v1/auth/tokens', {
    name: 'gone',
    role: 'viewer',
    expiresInMs: 1000,
  });
  writeFileSync(file, expired.body.token);
  const isOver = async () => (await doctor(...local, '--token-file', file)).code === 4;
  for (let tries = 0; tries < 60 && !(await isOver()); tries++);
  const ended = await doctor(...local, '--token-file', file);
  t.match(found(ended, 'token')?.finding, /expired/);
});

t.test('the home, while the server runs', async (t) => {
  chmodSync(layout.bundleSigningKey, 0o644);
  chmodSync(layout.database, 0o666);
  chmodSync(join(layout.stacksDirectory, 'modules/m.vgo'), 0o666);
  writeFileSync(layout.configFile, 'checkin: {intervall: 5m}\n');
  const [newest] = backups();
  const old = JSON.parse(readFileSync(newest, 'utf8')) as { createdAtMs: number };
  const text = JSON.stringify({ ...old, createdAtMs: old.createdAtMs - 10 * 86_400_000 });
  writeFileSync(newest, text);
  const sick = await examined();
  t.match(found(sick, 'exposed-file')?.finding, /vigo\.db \(666\).*bundle-signing\.key \(644\)/);
  t.match(found(sick, 'stack')?.finding, /may change: .*m\.vgo/);
  t.match(found(sick, 'settings')?.finding, /intervall/);
  t.match(found(sick, 'backup')?.finding, /10 days old/);
  chmodSync(layout.bundleSigningKey, 0o600);
  chmodSync(layout.database, 0o600);
  chmodSync(join(layout.stacksDirectory, 'modules/m.vgo'), 0o644);
  writeFileSync(layout.configFile, '');
  rmSync(newest);
  renameSync(layout.stacksDirectory, `${layout.stacksDirectory}-away`);
  const other = await examined();
  renameSync(`${layout.stacksDirectory}-away`, layout.stacksDirectory);
  t.notOk(found(other, 'exposed-file'), 'repaired');
  t.match(found(other, 'stack')?.finding, /there is no stack directory/);
  t.match(found(other, 'backup')?.finding, /there is no backup/);
});

t.test('the fleet', async (t) => {
  const [first, second, third] = envoys as [TestEnvoy, TestEnvoy, TestEnvoy];
  for (const envoy of envoys) envoy.moveTo(run.grpcPort);
  await Promise.all(envoys.map((envoy) => envoy.checkIn()));
  const database = new TestDatabase(layout.database);
  const seen = () => database.rows('SELECT 1 FROM envoys WHERE last_seen_ms > 0').length === 3;
  t.ok(await eventually(seen), 'all were seen');
  const late = CheckInRequest.encode(emptyOf(CheckInRequest)).finish();
  const skewed = first.request('CheckIn', late, { timestampMs: Date.now() - 3_600_000 });
  t.equal((await first.send('CheckIn', skewed)).detail?.code, 'REQUEST_CLOCK_SKEW');
  const told = () => database.auditTypes().includes('request.clock_skew');
  t.ok(await eventually(told));
  t.match(found(await examined(), 'envoy-clocks')?.finding, /by too much: host-\d$/);
  await rest(server, 'POST', '/api/v1/config/freeze', { reason: 'a sale' });
  t.match(found(await examined(), 'freeze')?.finding, /frozen by admin:local/);
  await second.close();
  await third.close();
  await first.close();
  await server.signal('SIGTERM');
  const hour = 3_600_000;
  change(
    `UPDATE envoys SET last_seen_ms = last_seen_ms - ${hour}`,
    "UPDATE envoys SET agent_version = '0.0.1', policy_version = 900 WHERE hostname = 'host-0'",
  );
  const offline = await cli([...local, 'doctor', '--json']);
  const diagnosis = JSON.parse(offline.out) as Diagnosis;
  t.equal(offline.code, 5, 'the server is away, and its home is looked at all the same');
  t.match(found(diagnosis, 'offline-envoys'), {
    severity: 'problem',
    finding: /^3 of 3 envoys are offline: host-/,
  });
  t.match(found(diagnosis, 'policy-behind')?.finding, /1 envoys hold policy version 900/);
});

t.test(
  'too few file descriptors for the fleet',
  {
    skip: requires('command:prlimit'),
  },
  async (t) => {
    const { pid } = await server.start();
    execFileSync('prlimit', ['--pid', String(pid), '--nofile=200:']);
    t.match(
      found(await examined(), 'file-descriptors')?.finding,
      /may open 200 files, and 3 envoys/,
    );
  },
);

const vigosrv = programFile('actors/server/main');
const small = { skip: requires('root', 'command:unshare') };
t.test('a small disk and a certificate that ends, without a server', small, async (t) => {
  await server.kill();
  const { certificateAuthority: authority } = server.home;
  const key = createPrivateKey(readFileSync(layout.serverKey, 'utf8'));
  const names = { dns: ['localhost'], ip: [] };
  writeFileSync(layout.serverCertificate, await authority.issueServer(key, names, 86_400_000));
  const ending = doctorAlone(server.directory);
  t.match(found(ending, 'certificate')?.finding, /server's certificate ends on/);
  writeFileSync(layout.serverCertificate, await authority.issueServer(key, names, -1000));
  t.match(found(doctorAlone(server.directory), 'certificate')?.finding, /ended on/);
  const disk = join(work, 'disk');
  const script = `mkdir -p "$1" && mount -t tmpfs -o size=64m tmpfs "$1" && cp -a "$2/." "$1" || exit 9
    shift 2; exec "$@"`;
  const argv = ['-c', script, 'sh', disk, server.directory, ...alone(disk)];
  const out = execFileSync('unshare', ['--mount', 'sh', ...argv], { encoding: 'utf8' });
  const full = JSON.parse(out) as Diagnosis;
  t.match(found(full, 'disk-space'), { severity: 'problem', finding: /\d+ MB are free/ });
});

function alone(home: string): string[] {
  const flags = '--disable-warning=ExperimentalWarning';
  return [process.execPath, flags, vigosrv, 'doctor', '--home', home, '--json'];
}

function doctorAlone(home: string): Diagnosis {
  const [node = '', ...args] = alone(home);
  return JSON.parse(execFileSync(node, args, { encoding: 'utf8' })) as Diagnosis;
}

function files(): string[] {
  return ['--ca-file', layout.caCertificate, '--token-file', layout.adminToken];
}

function backups(): [string] {
  const names = execFileSync('sh', ['-c', `ls ${layout.backupsDirectory}/*.json`]).toString();
  return [names.trim().split('\n')[0] ?? ''];
}

function change(...statements: string[]): void {
  execFileSync(process.execPath, [
    '-e',
    `const D = require('better-sqlite3'); const d = new D(process.argv[1]);
     for (const s of process.argv.slice(2)) d.exec(s); d.close();`,
    layout.database,
    ...statements,
  ]);
}

/** Greets like a mail server. */
function plainServer(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).end('220 mail\r\n');
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, port: (server.address() as { port: number }).port });
    });
  });
}
