/** What is lost when this fails: a newcomer has no stack to begin with, or loses one to an example. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readStackDirectory } from '../../../admin/cli/stack-directory.ts';
import { programFile } from '../../support/program.ts';

const work = mkdtempSync(join(tmpdir(), 'vigo-examples-'));
t.teardown(() => rmSync(work, { recursive: true, force: true }));

function vigocli(...args: string[]) {
  const flags = ['--disable-warning=ExperimentalWarning', programFile('admin/cli/main')];
  const env = { PATH: process.env.PATH ?? '', HOME: work };
  const words = [...flags, 'config', 'examples', ...args];
  return spawnSync(process.execPath, words, { cwd: work, env, encoding: 'utf8' });
}

t.test('every example that is listed can be copied, and is a stack', async (t) => {
  const { items } = JSON.parse(vigocli('list', '--json').stdout) as {
    items: { name: string; shows: string }[];
  };
  const there = readdirSync(new URL('../../../examples', import.meta.url));
  const names = items.map(({ name }) => name);
  t.same(names.toSorted(), there.filter((name) => !name.includes('.')).sort());
  t.match(vigocli('list').stdout, /^EXAMPLE +SHOWS\n/);
  const { status, stdout } = vigocli('copy', 'homelab');
  t.equal(status, 0);
  t.match(stdout, `vigocli config validate --stack ${join(work, 'homelab')}`);
  t.ok(readStackDirectory(join(work, 'homelab')).length > 3);
});

t.test('nothing that somebody has is touched', async (t) => {
  mkdirSync(join(work, 'mine'));
  writeFileSync(join(work, 'mine', 'site.vgo'), 'mine');
  const refused = vigocli('copy', 'homelab', 'mine');
  t.match(refused, { status: 1, stderr: /CLI_FILE_UNWRITABLE.*is not empty/s });
  t.equal(readFileSync(join(work, 'mine', 'site.vgo'), 'utf8'), 'mine');
  const unknown = vigocli('copy', '../homelab');
  t.match(unknown, { status: 64, stderr: /CLI_USAGE.*there is no example .*web-tier/s });
});
