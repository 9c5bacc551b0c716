import { lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { createEngine } from '../../../agent/converge/engine.ts';
import { createSnapshots } from '../../../agent/converge/snapshots.ts';
import { fileType } from '../../../agent/executors/cross/file.ts';
import { typeRegistry } from '../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { resourceBundle } from '../../support/resource-bundle.ts';

t.test('what a managed file held can be had back', async (t) => {
  const place = t.testdir({ root: { motd: 'by hand' } });
  const platform = createNodePlatform({ root: `${place}/root` });
  const snapshots = createSnapshots({ platform, directory: `${place}/state/snapshots` });
  const engine = createEngine({ platform, snapshots, registry: typeRegistry([fileType]) });
  const parameters = { target_path: '/motd', content: 'declared' };
  const document = resourceBundle({ type: 'file', parameters });
  await engine.pass({ document, traits: {}, dryRun: true });
  t.notOk(lstatSync(`${place}/state`, { throwIfNoEntry: false }), 'a dry run keeps none');
  await engine.pass({ document, traits: {} });
  const kept = `${place}/state/snapshots${platform.paths.root}/motd`;
  const [name] = readdirSync(kept);
  t.equal(readFileSync(`${kept}/${name}`, 'utf8'), 'by hand');
  t.equal(lstatSync(`${kept}/${name}`).mode & 0o777, 0o600);
  t.equal(lstatSync(kept).mode & 0o777, 0o700);
});

t.test('the newest five are kept, also when the clock went back', async (t) => {
  const place = t.testdir({ file: '' });
  const node = createNodePlatform();
  let nowMs = 1_700_000_000_000;
  const platform = { ...node, clock: { ...node.clock, nowMs: () => nowMs } };
  const snapshots = createSnapshots({ platform, directory: `${place}/kept` });
  for (let version = 1; version <= 9; version += 1) {
    writeFileSync(`${place}/file`, `version ${version}`);
    await snapshots.keep(`${place}/file`);
    if (version === 5) nowMs -= 60_000;
    if (version === 7) nowMs += 3_600_000;
  }
  const kept = `${place}/kept${place}/file`;
  const contents = readdirSync(kept)
    .sort()
    .map((name) => readFileSync(`${kept}/${name}`, 'utf8'));
  t.same(
    contents,
    [5, 6, 7, 8, 9].map((version) => `version ${version}`),
  );
});

t.test('only regular files are kept', async (t) => {
  const place = t.testdir({ directory: {} });
  symlinkSync('/etc/passwd', `${place}/link`);
  const snapshots = createSnapshots({ platform: createNodePlatform(), directory: `${place}/kept` });
  for (const name of ['link', 'directory', 'none']) await snapshots.keep(`${place}/${name}`);
  t.notOk(lstatSync(`${place}/kept`, { throwIfNoEntry: false }));
});
