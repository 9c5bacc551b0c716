import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createEngine } from '../../../../agent/converge/engine.ts';
import { createSnapshots } from '../../../../agent/converge/snapshots.ts';
import { resourceTypes } from '../../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../../agent/platform/node-platform.ts';
import { resourceBundle } from '../../../support/resource-bundle.ts';

/** An agent that is not root, as in the demo: a test run as root takes another user meanwhile. */
const nobody = 65534;

function asUnprivileged(t: Test): string {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'vigo-unprivileged-')));
  const privileged = process.geteuid?.() === 0;
  if (privileged) {
    chownSync(place, nobody, nobody);
    process.seteuid?.(nobody);
  }
  t.teardown(() => {
    if (privileged) process.seteuid?.(0);
    rmSync(place, { recursive: true, force: true });
  });
  mkdirSync(`${place}/root`);
  return place;
}

function setUp(place: string) {
  const platform = createNodePlatform({ root: `${place}/root` });
  const snapshots = createSnapshots({ platform, directory: `${place}/snapshots` });
  const engine = createEngine({ platform, snapshots, registry: resourceTypes });
  return async (type: string, parameters: Record<string, string>) => {
    const document = resourceBundle({ type, parameters });
    const [first] = (await engine.pass({ document, traits: {} })).resources;
    const [second] = (await engine.pass({ document, traits: {} })).resources;
    return [first!, second!] as const;
  };
}

t.test('a file that its owner may not read is repaired', async (t) => {
  for (const content of ['declared', 'modified', 'something else']) {
    const place = asUnprivileged(t);
    const path = `${place}/root/motd`;
    writeFileSync(path, content);
    chmodSync(path, 0);
    const [first, second] = await setUp(place)('file', {
      target_path: '/motd',
      content: 'declared',
    });
    t.equal(first.action, 'updated', first.reason);
    t.equal(second.action, 'none', second.reason);
    t.equal(readFileSync(path, 'utf8'), 'declared');
    t.equal(lstatSync(path).mode & 0o777, 0o644);
  }
});

t.test('a tree that its owner may not enter is repaired', async (t) => {
  const place = asUnprivileged(t);
  const path = `${place}/root/tree`;
  mkdirSync(`${path}/deep/er`, { recursive: true });
  for (const below of ['/deep/er', '/deep', '']) chmodSync(path + below, 0);
  const parameters = { target_path: '/tree', mode: '0750', recurse: 'true' };
  const [first, second] = await setUp(place)('directory', parameters);
  t.equal(first.action, 'updated', first.reason);
  t.equal(second.action, 'none', second.reason);
  for (const below of ['', '/deep', '/deep/er'])
    t.equal(lstatSync(path + below).mode & 0o777, 0o750);
});

t.test('what only root may do is refused with its code, and changes nothing', async (t) => {
  const place = asUnprivileged(t);
  writeFileSync(`${place}/root/motd`, 'mine');
  const parameters = { target_path: '/motd', content: 'new', owner: '0' };
  const [first] = await setUp(place)('file', parameters);
  t.match(first, { action: 'failed', errorCode: 'AGENT_PERMISSION_DENIED' });
  t.equal(readFileSync(`${place}/root/motd`, 'utf8'), 'mine');
});
