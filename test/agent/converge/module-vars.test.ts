import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createEngine } from '../../../agent/converge/engine.ts';
import { resourceTypes } from '../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { compileFiles } from '../../actors/publish/stacks.ts';

const stack = {
  'modules/m.vgo': [
    'name: m',
    'vars: {user: www, level: info}',
    'conditional_vars:',
    `  - {when: "os_family('redhat')", vars: {user: apache}}`,
    `  - {when: "file_exists('/etc/debug')", vars: {level: debug}}`,
    'resources:',
    '  - name: marker',
    '    type: file',
    '    target_path: /etc/marker',
    '    content: "{{ .Vars.user }} {{ .Vars.level }}"',
    '',
  ].join('\n'),
  'site.vgo':
    'match: "*"\nmodules: m\nconditional_vars:\n  - {when: "os_family(\'suse\')", vars: {user: wwwrun}}\n',
};

t.test('a variable has the value of the last condition that holds on the node', async (t) => {
  const compiled = await compileFiles(stack);
  t.same(compiled.result.diagnostics, []);
  const document = compiled.documents[0]!;
  const root = mkdtempSync(join(tmpdir(), 'vigo-module-vars-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const platform = createNodePlatform({ root });
  const engine = createEngine({ platform, registry: resourceTypes });
  const marker = async (family: string) => {
    const { state } = await engine.pass({ document, traits: { os: { family } } });
    return [state, readFileSync(join(root, 'etc/marker'), 'utf8')];
  };
  t.same(await marker('debian'), ['changed', 'www info']);
  t.same(await marker('debian'), ['converged', 'www info']);
  t.same(await marker('rhel'), ['changed', 'apache info']);
  t.same(await marker('suse'), ['changed', 'wwwrun info']);
  writeFileSync(join(root, 'etc/debug'), '');
  t.same(await marker('debian'), ['changed', 'www debug']);
});
