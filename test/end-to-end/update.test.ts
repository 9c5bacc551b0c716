import { generateKeyPairSync } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires } from '../support/requires.ts';
import { TestDatabase } from './support/database.ts';
import { shellWithVigocli } from './support/documented-commands.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';
import {
  addRelease,
  Builds,
  rollOut,
  toldUpdate,
  UpdatedMachine,
} from './support/updated-machine.ts';
import { cli } from './support/vigocli.ts';

t.setTimeout(300_000);

const platform = `${process.platform}-${process.arch}`;
/** Longer than a slow machine takes for two check-ins. */
const generousSeconds = 60;

const directory = mkdtempSync(join(tmpdir(), 'vigo-builds-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const builds = await Builds.make(directory);

const page = readFileSync(new URL('../../docs/updates.md', import.meta.url), 'utf8');

/** The commands in the chapter of the page with that title, each as one line. */
function documented(title: string): string[] {
  const chapter = page.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';
  const blocks = [...chapter.matchAll(/^```sh\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').trimEnd().split('\n'));
}

/** A reader of the page with a program to roll out: runs its lines and resolves to what they print. */
function reader(t: Test, server: TestServer, version: string) {
  const work = join(server.directory, 'reader');
  mkdirSync(work);
  copyFileSync(builds.program(version), join(work, 'vigo'));
  const shell = shellWithVigocli(work, server.directory);
  const run = async (line: string): Promise<string> => {
    const { code, output } = await shell(line.replaceAll('linux-x64', platform));
    t.equal(code, 0, `${line}\n${output}`);
    return output;
  };
  return { work, run };
}

/** The page's commands for a release that the server signs; nothing has to happen on a machine. */
async function readTheRest(t: Test, server: TestServer): Promise<void> {
  const { run } = reader(t, server, '0.9.0');
  const lines = [
    ...documented('From a build to the whole fleet'),
    ...['list', 'show 0.2.0', 'pause', 'resume'].map((it) => `vigocli releases ${it}`),
    ...documented('Back to an older version'),
    ...['stop', 'remove 0.2.0'].map((it) => `vigocli releases ${it}`),
  ];
  const table = [...page.matchAll(/^\| `releases .*? \|/gm)]
    .join()
    .matchAll(/`(?:releases )?(?!envoys)([a-z]+)/g);
  for (const [, word] of table)
    t.ok(lines.join().includes(`vigocli releases ${word}`), `the table names ${word}`);
  const printed = new Map<string, string>();
  // The versions of the page are taken on this server.
  for (const line of lines) printed.set(line, await run(line.replaceAll('0.2.0', '0.9.0')));
  t.match(printed.get('vigocli releases promote 0.2.0'), /0\.9\.0 is running \(100 %/);
  t.match(printed.get('vigocli releases status'), /\(canary-\*\)[\s\S]*0\.1\.2 +1 envoy/);
  t.match(printed.get('vigocli releases pause'), /0\.9\.0 is paused/);
  t.match(printed.get('vigocli releases resume'), /0\.9\.0 is running/);
  const left = await rest<{ items: { version: string }[] }>(server, 'GET', '/api/v1/releases');
  const versions = left.body.items.map(({ version }) => version);
  t.notOk(versions.includes('0.9.0'), 'what was removed is gone');
  t.ok(versions.includes('0.1.2'));
}

t.test('agents update themselves, and come back from what is no good', async (t) => {
  const server = await TestServer.make(t, { interval: '1s', shards: 1 });
  await server.start();
  const machine = new UpdatedMachine(t, 'web-1');
  machine.install('0.1.1', builds.program('0.1.1'));
  await machine.agent.enroll(server);
  machine.start();
  const release = async (version: string, before: string, seconds: number) => {
    await addRelease(server, version, readFileSync(builds.program(version, before)));
    await rollOut(server, version, seconds);
  };

  await release('0.2.0', '', generousSeconds);
  const good = await toldUpdate(server, 'web-1', 'accepted', '0.2.0');
  t.match(good, { agentVersion: '0.2.0' }, machine.log.slice(-3000));
  t.equal(machine.current, '0.2.0');

  await release('0.3.0', '[ "$1" = self-check ] || exit 127', generousSeconds);
  const dead = await toldUpdate(server, 'web-1', 'returned', '0.3.0');
  t.match(dead, { agentVersion: '0.2.0', update: { code: 'AGENT_UPDATE_NO_START' } });
  t.equal(machine.current, '0.2.0', 'what does not start gives way');

  await release('0.4.0', '[ "$1" = daemon ] && exec sleep 1000', 2);
  const silent = await toldUpdate(server, 'web-1', 'returned', '0.4.0');
  t.match(silent, { agentVersion: '0.2.0', update: { code: 'AGENT_UPDATE_NO_CHECK_IN' } });
  t.equal(machine.current, '0.2.0', 'so does what never checks in');

  await addRelease(server, '0.5.0', readFileSync(builds.program('0.5.0')));
  const artefact = join(server.home.layout.agentsDirectory, `vigo-0.5.0-${platform}.gz`);
  const bytes = readFileSync(artefact);
  bytes[bytes.length - 12]! ^= 1;
  writeFileSync(artefact, bytes);
  await rollOut(server, '0.5.0', generousSeconds);
  const tampered = await toldUpdate(server, 'web-1', 'failed', '0.5.0');
  t.match(tampered, { agentVersion: '0.2.0', update: { code: 'AGENT_UPDATE_HASH' } });
  t.notOk(existsSync(join(machine.programs, '0.5.0')), 'nothing of what was altered is installed');

  const shown = await cli(['--home', server.directory, 'envoys', 'show', 'web-1']);
  t.match(shown.out, 'AGENT_UPDATE_HASH');
  await addRelease(server, '0.1.2', readFileSync(builds.program('0.1.2')));
  const back = await rest(server, 'POST', '/api/v1/releases/0.2.0/return', { to: '0.1.2' });
  t.equal(back.status, 200, JSON.stringify(back.body));
  const older = await toldUpdate(server, 'web-1', 'accepted', '0.1.2');
  t.equal(older.agentVersion, '0.1.2', 'a step back that is signed as one');

  const types = new TestDatabase(server.home.layout.database).auditTypes();
  for (const type of ['added', 'rollout_started', 'rollout_returned'])
    t.ok(types.includes(`release.${type}`), type);
  for (const type of ['tried', 'accepted', 'returned', 'failed'])
    t.ok(types.includes(`update.${type}`), type);
  machine.stop();
  await t.test('docs/updates.md: its commands', async (t) => readTheRest(t, server));
});

t.test('without the release key, a server makes agents run nothing', async (t) => {
  const server = await TestServer.make(t, { interval: '1s', shards: 1 });
  const { work, run } = reader(t, server, '0.2.0');
  const chapter = 'A release key that the server does not hold';
  const [generate = '', printKey = '', sign = '', add = ''] = documented(chapter);
  if (requires('command:openssl')) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
    writeFileSync(join(work, 'release.pem'), pem);
  } else await run(generate);
  const hex = (await run(printKey)).trim();
  writeFileSync(server.home.layout.configFile, `releases: {public_keys: ["${hex}"]}\n`);
  await server.start();
  const machine = new UpdatedMachine(t, 'db-1');
  const other = new UpdatedMachine(t, 'db-2');
  for (const each of [machine, other]) {
    each.install('0.1.1', builds.program('0.1.1'));
    await each.agent.enroll(server);
  }
  // A machine that trusts another key.
  const identity = join(other.agent.directory, 'config/identity/envoy.json');
  const pinned = readFileSync(identity, 'utf8');
  t.match(pinned, hex, 'the key is pinned at registration');
  writeFileSync(identity, pinned.replace(hex, '0'.repeat(64)));
  for (const each of [machine, other]) each.start();

  const program = builds.program('0.2.0');
  await t.rejects(addRelease(server, '0.2.0', readFileSync(program)), {
    message: /RELEASE_OFFLINE_KEY/,
  });
  for (const line of [sign, add, 'vigocli releases promote 0.2.0']) await run(line);
  const good = await toldUpdate(server, 'db-1', 'accepted', '0.2.0');
  t.match(good, { agentVersion: '0.2.0' }, machine.log.slice(-3000));
  const refused = await toldUpdate(server, 'db-2', 'failed', '0.2.0');
  const code = 'PROTOCOL_RELEASE_SIGNATURE';
  t.match(refused, { agentVersion: '0.1.1', update: { code } }, other.log.slice(-3000));
});
