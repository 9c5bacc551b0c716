import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { NodePaths } from '../../../agent/platform/node-paths.ts';
import { fc } from '../../support/property.ts';

const names = ['a', 'b', 'c'];
const part = fc.constantFrom(...names, '..', '.', '');
const pathText = fc
  .tuple(fc.constantFrom('', '/'), fc.array(part, { minLength: 1, maxLength: 6 }))
  .map(([start, parts]) => start + parts.join('/'));
const entry = fc.record({
  place: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
  target: fc.option(fc.oneof(pathText, fc.constantFrom('/etc/passwd', '../../../etc', '/', '..'))),
});

/**
 * Makes real folders step by step and links only as leaves, so that nothing is ever made through a
 * link: a recursive mkdir would follow it out of the root, and never returns from some dangling ones.
 */
function build(root: string, entries: readonly { place: string[]; target: string | null }[]): void {
  for (const { place, target } of entries) {
    const folders = place.slice(0, -1);
    const last = place.at(-1) ?? '';
    let folder: string | undefined = root;
    for (const name of folders) folder = folder && folderIn(folder, name);
    if (folder === undefined || kindOf(join(folder, last)) !== undefined) continue;
    if (target === null || target === '') mkdirSync(join(folder, last));
    else symlinkSync(target, join(folder, last));
  }
}

/** The folder of that name, made if the place is free; undefined when something else is there. */
function folderIn(parent: string, name: string): string | undefined {
  const path = join(parent, name);
  if (kindOf(path) === undefined) mkdirSync(path);
  return kindOf(path) === 'folder' ? path : undefined;
}

function kindOf(path: string): 'folder' | 'other' | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isDirectory() ? 'folder' : 'other';
}

t.test('no tree of links leads out of the root', async () => {
  const codes = ['AGENT_PATH_ESCAPES_ROOT', 'AGENT_PATH_LOOP', 'AGENT_PATH_INVALID'];
  const property = fc.asyncProperty(
    fc.array(entry, { maxLength: 12 }),
    fc.array(pathText, { minLength: 1, maxLength: 8 }),
    fc.boolean(),
    async (entries, declared, followLast) => {
      const root = realpathSync(mkdtempSync(join(tmpdir(), 'vigo-paths-')));
      try {
        build(root, entries);
        const paths = new NodePaths(root);
        for (const path of declared) {
          const real = await paths.resolve(path, { followLast }).catch((thrown: unknown) => {
            if (thrown instanceof AgentError && codes.includes(thrown.code)) return undefined;
            throw thrown;
          });
          if (real !== undefined) inside(root, real, followLast);
        }
      } finally {
        rmSync(root, { recursive: true });
      }
    },
  );
  await fc.assert(property, { numRuns: 100 });
});

/** Beneath the root by name and, as far as it exists, without a link on the way. */
function inside(root: string, real: string, followLast: boolean): void {
  const beneath = real === root || real.startsWith(`${root}/`);
  const solid = followLast || real === root ? real : dirname(real);
  if (!beneath || real.split('/').includes('..')) throw new Error(`${real} is not in ${root}`);
  if (existsSync(solid) && realpathSync(solid) !== solid) throw new Error(`${solid} has a link`);
}

t.test('links are read as inside a chroot', async (t) => {
  const root = realpathSync(t.testdir({ etc: { motd: 'x' }, link: t.fixture('symlink', '/etc') }));
  symlinkSync('/etc', join(root, 'absolute'));
  symlinkSync('etc/../etc/motd', join(root, 'relative'));
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync('../..', join(root, 'etc', 'out'));
  const paths = new NodePaths(root);
  t.equal(await paths.resolve('/absolute/motd'), `${root}/etc/motd`);
  t.equal(await paths.resolve('/relative'), `${root}/relative`);
  t.equal(await paths.resolve('/relative', { followLast: true }), `${root}/etc/motd`);
  t.equal(await paths.resolve('/not/there/yet'), `${root}/not/there/yet`);
  t.equal(await paths.resolve('//etc/./motd/'), `${root}/etc/motd`);
  t.equal(await paths.resolve('/'), root);
  t.equal(paths.declared(`${root}/etc/motd`), '/etc/motd');
  t.equal(paths.declared(root), '/');
  for (const path of ['/..', '/etc/../../x', '/etc/out/x'])
    await t.rejects(paths.resolve(path), { code: 'AGENT_PATH_ESCAPES_ROOT' }, path);
  await t.rejects(paths.resolve('/loop/x'), { code: 'AGENT_PATH_LOOP' });
  for (const path of ['', 'etc', '/nul\0', `/${'x'.repeat(5000)}`])
    await t.rejects(paths.resolve(path), { code: 'AGENT_PATH_INVALID' });
});

t.test('the whole machine: ".." above the root stays there, as for the kernel', async (t) => {
  const paths = new NodePaths('/');
  t.equal(paths.confined, false);
  t.equal(await paths.resolve('/../x'), '/x');
  t.equal(await paths.resolve('/'), '/');
  t.equal(paths.declared('/x'), '/x');
});
