import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { stringify } from 'yaml';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import { referenceDirectory, referencePages } from '../../tools/resource-reference.ts';
import { brief, compileFiles } from './stacks.ts';

t.test('every type has a page, and the page says what the type is', async (t) => {
  const pages = referencePages();
  t.same(readdirSync(referenceDirectory).sort(), [...pages.keys()].sort());
  for (const [name, text] of pages) {
    const file = new URL(name, referenceDirectory);
    const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
    t.ok(kept === text, `${name} is stale: node test/tools/resource-reference.ts`);
  }
});

t.test('every type tells what it is for, with examples that publish accepts', async (t) => {
  for (const { name, summary, category, examples = [] } of resourceSchemas.values()) {
    t.ok(summary && category, `${name} has a summary and a category`);
    t.ok(examples.length > 0, `${name} has an example`);
    for (const { title, vars = {}, resources } of examples) {
      const stack = await compileFiles({
        'modules/example.vgo': stringify({ name: 'example', vars, resources }),
        'site.vgo': 'match: "*"\nmodules: example\n',
      });
      t.same(brief(stack), [], `${name}: ${title}`);
      t.ok(
        resources.some(({ type }) => type === name),
        `${title} shows ${name}`,
      );
    }
  }
});
