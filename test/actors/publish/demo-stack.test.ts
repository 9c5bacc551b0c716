import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../../actors/publish/stack/stack.ts';
import { readStackFiles } from '../../../actors/publish/stack/stack-files.ts';
import { createEngine } from '../../../agent/converge/engine.ts';
import { resourceTypes } from '../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { nodeDisk } from '../../../runtime/ports/node-disk.ts';

const traits = {
  os: { family: 'debian', distro: 'debian', version: '12' },
  network: { hostname: 'demo' },
};

t.test('the demo converges in an empty root, stays so, and repairs an edit', async (t) => {
  const directory = new URL('../../../admin/demo/stack', import.meta.url).pathname;
  const diagnostics = new Diagnostics();
  const files = await readStackFiles(nodeDisk(), directory, diagnostics);
  const stack = await compileStack(files, diagnostics);
  const document = stack.documents[stack.match('demo')!]!;
  const root = mkdtempSync(join(tmpdir(), 'vigo-demo-stack-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const platform = createNodePlatform({ root });
  const engine = createEngine({ platform, registry: resourceTypes });
  const pass = async () => {
    const { state, resources } = await engine.pass({ document, traits });
    return [state, ...resources.filter(({ action }) => !['none', 'skipped'].includes(action))];
  };
  t.equal((await pass())[0], 'changed');
  t.same(await pass(), ['converged']);
  const configuration = join(root, 'srv/app/config/app.conf');
  t.match(readFileSync(configuration, 'utf8'), /listen = 8080\nlog_level = debug\nworkers = 1\n/);
  writeFileSync(configuration, 'listen = 1\n');
  t.match(await pass(), ['changed', { id: 'app/Configuration', action: 'updated' }]);
  t.same(await pass(), ['converged']);
});
