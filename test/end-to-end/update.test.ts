import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { TestDatabase } from './support/database.ts';
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
});

t.test('without the release key, a server makes agents run nothing', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const hex = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
  const server = await TestServer.make(t, { interval: '1s', shards: 1 });
  const keyFile = join(server.directory, 'release.pem');
  writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }));
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
  const what = ['--release', '0.2.0', '--platform', platform];
  const signing = ['--key', keyFile, '--output', dirname(program)];
  const signed = await cli(['releases', 'sign', program, ...what, ...signing]);
  t.equal(signed.code, 0, signed.complaint);
  const base = join(dirname(program), `vigo-0.2.0-${platform}`);
  const add = ['releases', 'add', `${base}.gz`, ...what, '--manifest', `${base}.release`];
  const added = await cli(['--home', server.directory, ...add]);
  t.equal(added.code, 0, added.complaint);
  const promoted = await cli(['--home', server.directory, 'releases', 'promote', '0.2.0']);
  t.equal(promoted.code, 0, promoted.complaint);
  const good = await toldUpdate(server, 'db-1', 'accepted', '0.2.0');
  t.match(good, { agentVersion: '0.2.0' }, machine.log.slice(-3000));
  const refused = await toldUpdate(server, 'db-2', 'failed', '0.2.0');
  const code = 'PROTOCOL_RELEASE_SIGNATURE';
  t.match(refused, { agentVersion: '0.1.1', update: { code } }, other.log.slice(-3000));
});
