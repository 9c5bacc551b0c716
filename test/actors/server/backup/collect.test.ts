import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { collectHome, fingerprint } from '../../../../actors/server/backup/collect.ts';
import { homeLayout } from '../../../../actors/server/home/layout.ts';

const root = mkdtempSync(join(tmpdir(), 'vigo-collect-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
const layout = homeLayout(root);
const options = {
  layout,
  database: layout.database,
  secretsDirectory: join(root, 'secrets'),
  agents: true,
};

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

t.test('all that a server cannot make anew, and nothing else', async (t) => {
  const kept = [
    '.live/version.json',
    'agents/vigo.gz',
    'home.json',
    'keys/admin-token',
    'secrets/db+password.secret',
    'server.yaml',
    'stacks/a.vgo',
    'stacks/deep/er/b.vgo',
    'stacks/templates/config.new',
    'tls/ca.key.pem',
  ];
  const left = [
    'state/shard-0/data.mdb',
    'backups/old.tar.gz',
    '.replaced/x/keys/admin-token',
    'run.json',
    'db/vigo.db',
    'db/vigo.db-wal',
    'keys/half.draft',
    '.live/version.json.new',
  ];
  for (const path of [...kept, ...left]) write(path, path);
  symlinkSync('a.vgo', join(root, 'stacks/link.vgo'));
  symlinkSync('/etc', join(root, 'stacks/everything'));
  symlinkSync('/nowhere', join(root, 'stacks/broken.vgo'));
  const files = await collectHome(options);
  t.same(
    files.map(({ path }) => path),
    [...kept, 'stacks/link.vgo'].sort(),
  );
  const without = await collectHome({ ...options, agents: false });
  t.notOk(without.some(({ path }) => path.startsWith('agents/')));
});

t.test('any change in between is seen', async (t) => {
  const before = fingerprint(await collectHome(options));
  t.equal(fingerprint(await collectHome(options)), before);
  write('stacks/a.vgo', 'another text');
  const changed = fingerprint(await collectHome(options));
  t.not(changed, before);
  write('stacks/new.vgo', '');
  t.not(fingerprint(await collectHome(options)), changed);
});
