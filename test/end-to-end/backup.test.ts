import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { restoreBackup } from '../../actors/server/backup/restore.ts';
import { resumeRestore } from '../../actors/server/backup/swap.ts';
import { unpackBackup } from '../../actors/server/backup/unpack.ts';
import { homeLayout } from '../../actors/server/home/layout.ts';
import { freePort } from '../../admin/demo/free-port.ts';
import { filesStack, publish, TestAgent } from './support/agent-process.ts';
import { eventually } from './support/database.ts';
import { shellWithVigocli } from './support/documented-commands.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';
import { cli } from './support/vigocli.ts';

interface View {
  readonly name: string;
  readonly policyVersion: number;
  readonly envoys: number;
  readonly encrypted: boolean;
  readonly auditEntries: number;
}

const work = mkdtempSync(join(tmpdir(), 'vigo-backup-'));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const server = await TestServer.make(t, { interval: '1s', grpcPort: await freePort(0) });
const { layout } = server.home;
await server.start();
await publish(server, filesStack({ '/etc/motd': 'first\n' }));
const agent = new TestAgent(t);
await agent.enroll(server);
agent.start();
const vigocli = (...args: string[]) => cli(['--home', server.directory, ...args]);
async function json<T>(...args: string[]): Promise<T> {
  const { code, out, complaint } = await vigocli(...args, '--json');
  t.equal(code, 0, `${args.join(' ')}: ${complaint}`);
  return JSON.parse(out) as T;
}
const plain = join(work, 'plain.tar.gz');
const secret = 'the-value-that-was-there';

/** Everything of the home that a backup holds, as text that can be compared. */
function contentOf(home: string): string {
  const names = ['stacks', 'tls', 'keys', 'secrets', 'home.json', 'server.yaml', '.live'];
  const there = names.filter((name) => existsSync(join(home, name)));
  const command = `find ${there.join(' ')} -type f | sort | xargs sha256sum`;
  return execFileSync('/bin/sh', ['-c', command], { cwd: home, encoding: 'utf8' });
}

t.test('a backup of a running server, while it is written', async (t) => {
  t.ok(await eventually(() => agent.read('/etc/motd') === 'first\n'), 'the agent converges');
  await rest(server, 'POST', '/api/v1/secrets/init', {});
  await rest(server, 'POST', '/api/v1/secrets/set', { path: 'db/password', value: secret });
  const before = contentOf(server.directory);
  const writing = Array.from({ length: 20 }, () =>
    rest(server, 'POST', '/api/v1/tokens', { match: ['x-*'] }),
  );
  const view = await json<View>('backup', 'create', '--output', plain, '--note', 'before');
  await Promise.all(writing);
  t.match(view, { policyVersion: 1, envoys: 1, encrypted: false });
  t.equal(contentOf(server.directory), before, 'it changes nothing');
  t.equal(statSync(plain).mode & 0o777, 0o600, 'for its owner only');
  t.equal(statSync(join(layout.backupsDirectory, view.name)).mode & 0o777, 0o600);
  const members = execFileSync('tar', ['tzf', plain], { encoding: 'utf8' });
  for (const path of ['manifest.json', 'db/vigo.db', 'home.json', 'tls/ca.key.pem', 'server.yaml'])
    t.ok(members.split('\n').includes(path), `tar reads ${path} in it`);
  t.notMatch(members, /^(state|backups)\//m);
  const list = await json<{ items: View[] }>('backup', 'list');
  t.same(
    list.items.map(({ name }) => name),
    [view.name],
  );
  t.match(await vigocli('backup', 'verify', view.name), {
    code: 0,
    out: /is the file that was made/,
  });
  t.match(await cli(['backup', 'verify', plain]), { code: 0, out: /is whole/ });
  const again = await vigocli('backup', 'create', '--output', plain);
  t.match(again, { code: 1, complaint: /CLI_FILE_UNWRITABLE.*is there already/ });
  const events = await json<{ items: { type: string }[] }>('audit', 'list', '--limit', '100');
  const types = events.items.map(({ type }) => type);
  t.ok(types.includes('backup.created') && types.includes('backup.taken'), 'audited');
});

t.test('encrypted to a key, and only with it does it open', async (t) => {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const identityFile = join(work, 'identity');
  const sealed = join(work, 'sealed.age');
  const seal = ['backup', 'create', '--recipient', recipient, '--output', sealed];
  const view = await json<View>(...seal, '--keep', '1');
  t.equal(view.encrypted, true);
  t.match(readFileSync(sealed, 'latin1'), /^age-encryption\.org\/v1\n-> X25519/);
  t.match((await json<{ items: View[] }>('backup', 'list')).items, [{ name: view.name }]);
  t.match(await cli(['backup', 'verify', sealed]), { code: 4, complaint: /^BACKUP_ENCRYPTED/ });
  writeFileSync(identityFile, `# made by a test\n${identity}\n`);
  await unpackBackup({ file: sealed, identityFile });
  writeFileSync(identityFile, await generateX25519Identity());
  const other = unpackBackup({ file: sealed, identityFile });
  await t.rejects(other, { code: 'BACKUP_ENCRYPTED' }, 'the key of somebody else');
  const create = (body: object) => rest(server, 'POST', '/api/v1/backups', body);
  const refused = { status: 400, body: { code: 'BACKUP_BAD_REQUEST' } };
  const passphrase = 'correct horse battery staple';
  t.match(await create({ passphrase, recipients: [recipient] }), refused, 'not to both');
  t.match(await create({ recipients: ['age1nobodyhasthiskeyatall'] }), refused);
  t.match(await create({ passphrase: 'short' }), { status: 400 });
});

t.test('a damaged, forged or foreign backup is not taken', async (t) => {
  const bytes = readFileSync(plain);
  const damaged = join(work, 'damaged');
  const into = join(work, 'nowhere');
  const refused = (code: string, message: RegExp, words: string) =>
    t.rejects(unpackBackup({ file: damaged }), { code, message }, words);
  // Not in the zeros behind the archive's end, of which nothing is taken.
  for (const at of [20, Math.floor(bytes.length / 2), Math.floor(bytes.length * 0.9)]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    writeFileSync(damaged, changed);
    await refused('BACKUP_DAMAGED', /./, `byte ${at}`);
  }
  writeFileSync(damaged, bytes.subarray(0, bytes.length / 2));
  await refused('BACKUP_DAMAGED', /./, 'cut');
  const restored = await cli(['backup', 'restore', damaged, '--into', into]);
  t.match(restored, { code: 1, complaint: /^BACKUP_DAMAGED/ });
  t.notOk(existsSync(join(into, 'home.json')), 'nothing of it is left');

  const unpacked = mkdtempSync(join(work, 'forged-'));
  execFileSync('tar', ['xzf', plain, '-C', unpacked]);
  appendFileSync(join(unpacked, 'server.yaml'), '\n# mine\n');
  const members = execFileSync('tar', ['tzf', plain], { encoding: 'utf8' }).trim().split('\n');
  execFileSync('tar', ['czf', damaged, '-C', unpacked, ...members]);
  await refused('BACKUP_DAMAGED', /server\.yaml is/, 'another file');
  const manifest = join(unpacked, 'manifest.json');
  const text = readFileSync(manifest, 'utf8');
  writeFileSync(manifest, text.replace('"policyVersion": 1', '"policyVersion": 9'));
  execFileSync('tar', ['czf', damaged, '-C', unpacked, ...members]);
  await refused('BACKUP_DAMAGED', /not the one that was signed/, 'its manifest');
  const foreign = unpackBackup({ file: plain, key: '00'.repeat(32) });
  await t.rejects(foreign, { code: 'BACKUP_FOREIGN' });
});

t.test('the page on backups does what it says', async (t) => {
  const shell = shellWithVigocli(work, server.directory);
  writeFileSync(join(work, 'backup.pass'), 'correct horse battery staple\n');
  const page = readFileSync(new URL('../../docs/backup.md', import.meta.url), 'utf8');
  const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, text = '']) =>
    text.trim().split('\n'),
  );
  t.ok(lines.length >= 6);
  for (const line of lines) {
    const { code, output } = await shell(line);
    t.equal(code, 0, `${line}: ${output}`);
  }
});

t.test('after the restore the fleet goes on', async (t) => {
  await publish(server, filesStack({ '/etc/motd': 'second\n' }));
  t.ok(await eventually(() => agent.read('/etc/motd') === 'second\n'), 'the agent has version 2');
  const running = await vigocli('backup', 'restore', plain, '--force');
  t.match(running, { code: 1, complaint: /^HOME_LOCKED/ });
  await server.kill();
  rmSync(layout.databaseDirectory, { recursive: true });
  rmSync(layout.keysDirectory, { recursive: true });
  const refused = await vigocli('backup', 'restore', plain);
  t.match(refused, { code: 4, complaint: /^BACKUP_HOME_IN_USE.*\n.*--force/ });
  const restored = await vigocli('backup', 'restore', plain, '--force');
  t.match(restored, { code: 0, out: /vigosrv start/ }, restored.complaint);
  t.match(statSync(layout.bundleSigningKey).mode & 0o777, 0o600);
  t.equal(readdirSync(layout.replacedDirectory).length, 1, 'what was there is kept');

  await server.start();
  t.match(await json('secrets', 'reveal', 'db/password'), { value: secret });
  t.match(await json('config', 'status'), { version: 1 });
  const checks = async () =>
    (
      await rest<{ findings: { check: string }[] }>(server, 'GET', '/api/v1/doctor')
    ).body.findings.map(({ check }) => check);
  t.ok((await checks()).includes('restored-audit'), 'the doctor knows what is left to do');
  t.match((await vigocli('audit', 'verify')).out, /verifie|whole|entries/);
  const version = await publish(server, filesStack({ '/etc/motd': 'third\n' }));
  t.ok(version >= 2, 'a number that the agent has not refused');
  t.ok(await eventually(() => agent.read('/etc/motd') === 'third\n'), 'and it converges');
  const events = await json<{ items: { type: string }[] }>(
    ...['audit', 'list', '--type', 'backup.restored'],
  );
  t.equal(events.items.length, 1, 'the log says that it was restored');
  const acknowledge = ['--through', '100000', '--reason', 'the disk died'];
  t.equal((await vigocli('audit', 'acknowledge-restore', ...acknowledge)).code, 0);
  t.notOk((await checks()).includes('restored-audit'));
  rmSync(agent.at('/etc/motd'));
  t.ok(await eventually(() => agent.read('/etc/motd') === 'third\n'), 'drift is repaired');
});

t.test('killed at any step, a restore is either done or never was', async (t) => {
  await server.kill();
  const home = join(work, 'home');
  const layout = homeLayout(home);
  const order = { file: plain, home, force: true, nowMs: Date.now() };
  await restoreBackup(order);
  writeFileSync(join(home, 'stacks', 'after.vgo'), 'name: after\n');
  const [before, after] = [contentOf(home), (await restoredContent()).toString()];
  async function restoredContent(): Promise<string> {
    const fresh = join(work, 'fresh');
    await restoreBackup({ ...order, home: fresh });
    return contentOf(fresh);
  }
  t.not(before, after);
  let kills = 0;
  for (let step = 1; ; step++) {
    let left = step;
    const killed = await restoreBackup({
      ...order,
      nowMs: order.nowMs + step * 1000,
      step: () => {
        left -= 1;
        if (left === 0) throw new Error('killed here');
      },
    }).then(
      () => false,
      () => true,
    );
    const outcome = await resumeRestore(layout);
    const content = contentOf(home);
    t.ok(content === before || content === after, `step ${step}: ${outcome}`);
    t.notOk(existsSync(layout.restoreDirectory), 'nothing is left half done');
    if (!killed) break;
    kills += 1;
    if (step > 1) t.equal(content, after, 'behind the commit point it is finished');
    writeFileSync(join(home, 'stacks', 'after.vgo'), 'name: after\n');
    t.equal(contentOf(home), before);
  }
  t.ok(kills > 10, `${kills} places`);
});

t.test('a server killed while it makes a backup loses nothing', async (t) => {
  await server.start();
  const isUnderWay = () => readdirSync(layout.backupsDirectory).some((n) => n.startsWith('.part-'));
  // One may be made between two looks: then the next one is killed.
  for (let tries = 0; tries < 50 && !isUnderWay(); tries++) {
    let isOver = false;
    const body = { passphrase: 'correct horse battery staple' };
    void rest(server, 'POST', '/api/v1/backups', body)
      .catch(() => undefined)
      .then(() => {
        isOver = true;
      });
    await eventually(() => isUnderWay() || isOver);
  }
  await server.kill();
  t.ok(isUnderWay(), 'it was killed in the middle');
  await server.start();
  const { items } = await json<{ items: View[] }>('backup', 'list');
  for (const { name } of items) {
    const { body } = await rest(server, 'POST', `/api/v1/backups/${name}/check`, {});
    t.match(body, { same: true }, 'what is listed is whole');
  }
  await json('backup', 'create');
  t.notOk(isUnderWay(), 'the next one sweeps up');
  t.equal((await vigocli('audit', 'verify')).code, 0);
});
