import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkedOutCommit, provenance, provenanceFacts } from '../../../bench/run/provenance.ts';

type Tap = Pick<typeof t, 'testdir'>;

function checkout(t: Tap, path: string): { readonly own: string; readonly root: string } {
  const root = t.testdir({ 'main.ts': '1', 'README.md': 'as committed' });
  const own = join(root, path);
  mkdirSync(own, { recursive: true });
  const author = ['-c', 'user.name=A', '-c', 'user.email=a@example.org'];
  const git = (...words: string[]) => execFileSync('git', ['-C', root, ...author, ...words]);
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'First');
  return { own, root };
}

t.test(
  'a kept report says which commit it measured, and whether the program differed',
  async (t) => {
    const { own, root } = checkout(t, 'bench/run');
    t.match(checkedOutCommit(own), /^[0-9a-f]{7,}$/);
    writeFileSync(join(root, 'README.md'), 'with the figures of this run');
    t.match(checkedOutCommit(own), /^[0-9a-f]{7,}$/, 'what is written about it changes nothing');
    writeFileSync(join(root, 'main.ts'), '2');
    t.match(checkedOutCommit(own), /^[0-9a-f]{7,}-dirty$/);
    t.match(checkedOutCommit(checkout(t, 'dist/bench/run').own), /^[0-9a-f]{7,}/, 'compiled');
  },
);

t.test('a package inside of another repository does not claim its commit', async (t) => {
  const { own } = checkout(t, 'node_modules/vigo/dist/bench/run');
  t.equal(checkedOutCommit(own), undefined);
  t.equal(checkedOutCommit('/'), undefined, 'nor does one outside of any');
});

t.test('people read what was measured, when and where', async (t) => {
  const made = provenance(new Date('2026-11-23T10:00:00.700Z'));
  t.equal(made.measured_at, '2026-11-23T10:00:00Z');
  t.match(made.vigo.version, /^\d+\.\d+\.\d+/);
  t.ok(made.machine.cores > 0 && made.machine.memory_gb > 0);
  const vigo = { version: '1.2.3' };
  const [measured, machine] = provenanceFacts({ ...made, vigo });
  t.equal(measured?.value, '2026-11-23T10:00:00Z, Vigo 1.2.3');
  t.match(machine?.value, process.version);
});
