import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RunDetailView, RunView } from '../../admin/api/backend.ts';
import { requires } from '../support/requires.ts';
import { eventually } from './support/database.ts';
import { DemoProcess } from './support/demo-process.ts';
import { cli } from './support/vigocli.ts';

const nobody = 65534;
const repairLimitMs = 60_000;
const reasonTriesMax = 40;

function workDirectory(t: { teardown(run: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-demo-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Type, permissions and content of a path, "absent" when there is nothing. */
function look(path: string): string {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status) return 'absent';
  const mode = (status.mode & 0o7777).toString(8);
  if (status.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  if (status.isDirectory()) return `directory ${mode}`;
  return `file ${mode} ${readFileSync(path, 'utf8')}`;
}

/** Holds a port so that nobody else gets it; undefined when somebody has it already. */
function occupy(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function isFree(port: number): Promise<boolean> {
  const server = await occupy(port);
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  return server !== undefined;
}

/** What the agent did since then and why: resource id -> "action: reason". */
async function reasonsSince(directory: string, sinceMs: number): Promise<Map<string, string>> {
  const home = ['--home', join(directory, 'demo/server'), '--json'];
  const { items } = JSON.parse((await cli([...home, 'runs', 'list'])).out) as { items: RunView[] };
  const fresh = items.filter(({ startedAtMs }) => startedAtMs >= sinceMs);
  const shown = await Promise.all(fresh.map(({ id }) => cli([...home, 'runs', 'show', id])));
  const results = shown.flatMap(({ out }) => (JSON.parse(out) as RunDetailView).results);
  const done = results.filter(({ action }) => !['none', 'skipped'].includes(action));
  return new Map(done.map(({ id, action, reason }) => [id, `${action}: ${reason}`]));
}

interface Damage {
  readonly name: string;
  readonly path: string;
  readonly resource: string;
  do(path: string): void;
}

const motd = { path: 'etc/motd', resource: 'greeting/Message of the day' };
const hosts = { path: 'etc/app.hosts', resource: 'app/Host names' };
const configuration = { path: 'srv/app/config/app.conf', resource: 'app/Configuration' };
const link = { path: 'srv/app/current.conf', resource: 'app/Current configuration' };

function replaceBy(make: (path: string) => void): (path: string) => void {
  return (path) => {
    rmSync(path);
    make(path);
  };
}

/** Each round within one interval. */
const rounds: readonly (readonly Damage[])[] = [
  [
    { ...motd, name: 'deleted', do: (path) => rmSync(path) },
    { ...hosts, name: 'edited', do: (path) => appendFileSync(path, 'hacked\n') },
    { ...configuration, name: 'chmod', do: (path) => chmodSync(path, 0o777) },
    { ...link, name: 'pointed elsewhere', do: replaceBy((path) => symlinkSync('/nowhere', path)) },
  ],
  [
    { ...motd, name: 'replaced by a link', do: replaceBy((path) => symlinkSync('x', path)) },
    { ...hosts, name: 'replaced by a directory', do: replaceBy((path) => mkdirSync(path)) },
    { ...link, name: 'replaced by a file', do: replaceBy((path) => writeFileSync(path, 'mine')) },
  ],
];

async function damageAndWait(t: Test, demo: DemoProcess, round: readonly Damage[]) {
  const at = ({ path }: Damage) => join(demo.directory, 'demo/root', path);
  const before = round.map((damage) => look(at(damage)));
  const sinceMs = Date.now();
  for (const damage of round) damage.do(at(damage));
  const whole = () => round.every((damage, index) => look(at(damage)) === before[index]);
  await eventually(whole, repairLimitMs);
  let reasons = new Map<string, string>();
  for (let tries = 0; tries < reasonTriesMax; tries++) {
    reasons = await reasonsSince(demo.directory, sinceMs);
    if (round.every(({ resource }) => reasons.has(resource))) break;
  }
  round.forEach((damage, index) => {
    t.equal(look(at(damage)), before[index], `${damage.path} ${damage.name}`);
    t.match(reasons.get(damage.resource), /^(created|updated): ./, `the reason: ${damage.name}`);
  });
}

t.test('a newcomer damages files and watches them come back, twice', async (t) => {
  const directory = workDirectory(t);
  const first = new DemoProcess(directory);
  t.teardown(() => first.stop());
  if (!(await first.ready())) return t.fail(first.output);
  t.match(first.output, /first convergence in .*brought to their declared state/);
  t.notMatch(first.output, /failed/i, 'everything is green');
  t.notOk(first.output.includes('\u001b'), 'no colours in a pipe');
  for (const { path } of rounds.flat()) {
    const line = `\n${join(directory, 'demo/root', path)}\n`;
    t.ok(first.output.includes(line), `${path} stands on a line of its own`);
  }
  for (const round of rounds) await damageAndWait(t, first, round);
  t.ok(await eventually(() => /↺ created greeting\/Message of the day: /.test(first.output)));
  t.equal(await first.stop(), 0, 'Ctrl-C');
  t.match(first.output, /nothing is left running/);
  t.same(first.left, [], 'no process is left');
  for (const port of first.ports) t.ok(await isFree(port), `port ${port} is closed`);
  t.same(readdirSync(directory), ['demo'], 'nothing else was made');

  const held = await Promise.all([1530, 8443, ...first.ports].map(occupy));
  t.teardown(() => held.forEach((server) => void server?.close()));
  const second = new DemoProcess(directory);
  t.teardown(() => second.stop());
  if (!(await second.ready())) return t.fail(second.output);
  t.equal(second.envoyId, first.envoyId, 'the same envoy goes on');
  t.notOk(
    second.ports.some((port) => first.ports.includes(port)),
    'busy ports are left alone',
  );
  const greeting = join(directory, 'demo/root', motd.path);
  rmSync(greeting);
  t.ok(await eventually(() => existsSync(greeting), repairLimitMs));
  t.equal(await second.stop('SIGTERM'), 0);
  t.same(second.left, []);
});

const asRoot = { skip: requires('root', 'linux') };
t.test('the demo needs no root and no home directory', asRoot, async (t) => {
  const directory = workDirectory(t);
  chownSync(directory, nobody, nobody);
  const demo = new DemoProcess(directory, true);
  t.teardown(() => demo.stop());
  t.ok(await demo.ready(), demo.output);
  t.notMatch(demo.output, /failed/);
  const greeting = join(directory, 'demo/root', motd.path);
  t.equal(lstatSync(greeting).uid, nobody);
  rmSync(greeting);
  t.ok(await eventually(() => existsSync(greeting), repairLimitMs));
  t.equal(await demo.stop('SIGHUP'), 0, 'the terminal was closed');
  t.same(demo.left, []);
  t.same(readdirSync(directory), ['demo']);
});

t.test('stopping while it starts leaves nothing either', async (t) => {
  const directory = workDirectory(t);
  const demo = new DemoProcess(directory);
  t.teardown(() => demo.stop());
  t.ok(await eventually(() => existsSync(join(directory, 'demo/vigosrv.log')), repairLimitMs));
  t.equal(await demo.stop(), 0, demo.output);
  t.same(demo.left, []);
});
