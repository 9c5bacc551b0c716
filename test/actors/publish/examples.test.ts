import { existsSync } from 'node:fs';
import t from 'tap';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../../actors/publish/stack/stack.ts';
import { readStackFiles } from '../../../actors/publish/stack/stack-files.ts';
import { policyKindOf } from '../../../admin/cli/editor-schema/place-findings.ts';
import { nodeDisk } from '../../../runtime/ports/node-disk.ts';
import { exampleStacks } from '../../support/examples.ts';

const root = new URL('../../../examples/', import.meta.url);
const examples = exampleStacks();

t.test('every example can be published as it stands', async (t) => {
  t.ok(examples.size >= 12);
  for (const [name, directory] of examples) {
    const diagnostics = new Diagnostics();
    const files = await readStackFiles(nodeDisk(), directory, diagnostics);
    const { result, documents } = await compileStack(files, diagnostics);
    t.same(result.diagnostics, [], name);
    t.ok(documents.length > 0 && result.resources >= 4, `${name} manages something`);
    t.ok(existsSync(new URL(`${name}/README.md`, root)), `${name} says what it is`);
    for (const [path, text] of files) {
      if (!path.endsWith('.vgo')) continue;
      const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1] ?? '';
      const target = new URL(schema, new URL(`${name}/${path}`, root));
      const expected = new URL(`../docs/schema/${policyKindOf(path)}.json`, root);
      t.equal(target.href, expected.href, `${name}/${path} tells editors its schema`);
    }
  }
});
