/** What is lost when this fails: somebody copies an example out of a page, and it does not do what the page says. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires } from '../support/requires.ts';
import { shellWithVigocli } from './support/documented-commands.ts';
import { TestServer } from './support/server-process.ts';

t.setTimeout(300_000);

const project = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'vigo-docs-pages-'));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const server = await TestServer.make(t, { shards: 1 });
await server.provision(3, 'web');
for (const place of ['tls', 'keys']) symlinkSync(join(server.directory, place), join(work, place));
const demo = join(project, 'admin/demo/stack');
for (const place of [join(server.directory, 'stacks'), join(work, 'my-stack')]) {
  cpSync(demo, place, { recursive: true });
}
const { apiPort } = await server.start();
const shell = shellWithVigocli(work, server.directory);

function pageOf(name: string): string {
  return readFileSync(join(project, 'docs', name), 'utf8');
}

function blocksOf(text: string, language: string): string[] {
  const fences = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(fences)].map(([, block = '']) => block.trimEnd());
}

interface Ran {
  readonly command: string;
  readonly output: string;
}

/** Runs commands as a reader would; each ends as its comment says, or as one of `codes`. */
async function run(
  t: Test,
  commands: readonly string[],
  codes: readonly number[] = [0],
): Promise<Ran[]> {
  const ran: Ran[] = [];
  for (const command of commands) {
    const line = command.replaceAll('localhost:8443', `localhost:${apiPort}`);
    const { code, output } = await shell(line);
    const [, said] = /# exit (\d+)$/.exec(command) ?? [];
    const expected = said === undefined ? codes : [Number(said)];
    t.ok(expected.includes(code ?? -1), `${command} ended with ${code}\n${output}`);
    ran.push({ command, output });
  }
  return ran;
}

t.test('docs/cli.md: the tour', { skip: requires('command:bash') }, async (t) => {
  const [, tour = ''] = pageOf('cli.md').split(/^## A tour$/m);
  const [block = ''] = blocksOf(tour.split(/^## /m)[0] ?? '', 'sh');
  const ran = await run(t, block.split('\n'));
  t.ok(ran.length > 15);
  const output = (word: string) => ran.find(({ command }) => command.includes(word))?.output;
  t.same(output('cut -f 1')?.trim().split('\n').sort(), ['web-0', 'web-1', 'web-2']);
  t.match(output('config publsh'), 'publish');
  t.match(output('show nobody'), /API_[A-Z_]+: .*nobody/);
});

t.test('docs/plan.md: its commands, without an envoy that could be asked', async (t) => {
  const [block = ''] = blocksOf(pageOf('plan.md'), 'sh');
  const lines = block.split('\n');
  const said = (wanted: RegExp) => lines.filter((line) => wanted.test(line));
  t.ok(lines.length >= 7);
  const plans = said(/config plan((?!--live).)*$/);
  await run(t, plans, [0, 2]);
  const asked = await run(t, said(/--live/), [4]);
  for (const { command, output } of asked) t.match(output, /PLAN_[A-Z_]+: /, command);
  // Nothing was published by a plan yet, and that id is somebody else's.
  const none = await run(t, said(/fidelity|--plan/), [1]);
  for (const { command, output } of none) t.match(output, /API_NOT_FOUND: .*plan/, command);
});

t.test('docs/dashboard.md: what programs take from the pages', async (t) => {
  const blocks = blocksOf(pageOf('dashboard.md'), 'sh').filter((text) => text.includes('curl'));
  t.equal(blocks.length, 1);
  // One shell: its lines share a variable.
  const [{ output } = { output: '' }] = await run(t, [`set -eu\n${blocks[0]}`]);
  t.match(output, /^id,hostname,state,/m);
  t.match(output, /,web-2,no data,/);
});

t.test('docs/monitoring/README.md: a token for Prometheus, and what it reads', async (t) => {
  const page = pageOf('monitoring/README.md');
  const [create, look] = await run(t, blocksOf(page, 'sh'));
  t.match(create?.output, /^vgot_/m);
  t.match(look?.output, /^vigo_envoys\{/m);
  const [scrape = ''] = blocksOf(page, 'yaml');
  if (requires('command:promtool') !== false) return;
  const file = join(work, 'prometheus.yml');
  const rules = join(project, 'docs/monitoring/alerts.yaml');
  writeFileSync(
    file,
    scrape
      .replace('/etc/prometheus/vigo.token', join(work, 'keys/admin-token'))
      .replace('/etc/prometheus/vigo-ca.pem', join(work, 'tls/ca.cert.pem'))
      .replace('/etc/prometheus/vigo-alerts.yaml', rules),
  );
  const checked = spawnSync('promtool', ['check', 'config', file], { encoding: 'utf8' });
  t.equal(checked.status, 0, `${checked.stdout}${checked.stderr}`);
});
