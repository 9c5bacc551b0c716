import { readFileSync } from 'node:fs';
import t from 'tap';
import { commonResourceKeys } from '../../../actors/publish/stack/module-reader.ts';
import { commonKeys } from '../../../agent/policy/editor-schema/module-schema.ts';
import { policySchemas } from '../../../agent/policy/editor-schema/policy-schemas.ts';
import { formats } from '../../../agent/policy/resource-schemas/formats.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import { valueProblem } from '../../../agent/policy/resource-schemas/value-problem.ts';
import { schemaDirectory, schemaFiles } from '../../tools/policy-schema.ts';

t.test('editors get the schemas that publish checks with', async (t) => {
  for (const [name, text] of schemaFiles()) {
    const kept = readFileSync(new URL(name, schemaDirectory), 'utf8');
    t.ok(kept === text, `docs/schema/${name} is stale: node test/tools/policy-schema.ts`);
  }
});

t.test('editors know the keys of every resource that publish knows', async (t) => {
  t.same([...Object.keys(commonKeys()), 'match'].sort(), [...commonResourceKeys].sort());
});

t.test('a reference in a schema leads to a definition', async (t) => {
  for (const [kind, schema] of Object.entries(policySchemas())) {
    const text = JSON.stringify(schema);
    const known = Object.keys(schema.definitions as object);
    for (const [, name] of text.matchAll(/"#\/definitions\/([^"]+)"/g)) {
      if (!known.includes(name!)) t.fail(`${kind}.json has no definition ${name}`);
    }
    for (const [, source] of text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)) {
      t.doesNotThrow(() => new RegExp(JSON.parse(source!) as string, 'u'));
    }
  }
});

t.test('what a table gives as default and example, it accepts', async (t) => {
  for (const { name, parameters } of resourceSchemas.values()) {
    for (const spec of parameters) {
      const values = spec.default === undefined ? [] : [spec.default];
      for (const value of [...values, ...(spec.examples ?? [])]) {
        t.equal(valueProblem(spec, value), undefined, `${name}.${spec.name}: ${value}`);
      }
    }
  }
});

t.test('a group of parameters names parameters that there are', async (t) => {
  for (const schema of resourceSchemas.values()) {
    const known = schema.parameters.map(({ name }) => name);
    const named = [
      ...(schema.exclusive ?? []).flat(),
      ...(schema.oneOf ?? []).flat(),
      ...(schema.requiredUnlessAbsent ?? []),
      ...(schema.guards ?? []),
      ...(schema.requires ?? []).flatMap(({ when, needs }) => [when.parameter, ...needs]),
    ];
    for (const name of named) t.ok(known.includes(name), `${schema.name} has ${name}`);
  }
});

const right: Readonly<Partial<Record<keyof typeof formats, readonly string[]>>> = {
  duration: ['90', '30s', '45m', '4h'],
  'cron-schedule': ['* * * * *', '*/15 8-18 1,15 jan-MAR mon', '@reboot', '0  0 31 12 7'],
  'cron-minute': ['0', '59', '*/5', '1-5/2', '1,2,3'],
  environment: ['A=', '_x=1=2'],
  'account-or-id': ['root', '0', '_apt', 'host$'],
  'ip-address': ['10.0.0.1', '::1', 'fe80::1'],
  'host-name': ['a', 'db-1.example.com'],
  'port-or-range': ['443', '6000:6007'],
  url: ['https://example.com/x'],
};
const wrong: typeof right = {
  duration: ['', '1d', '-1', '1.5h', '10 s'],
  'cron-schedule': ['* * * *', '60 * * * *', '* 24 * * *', '@dayly', '* * 0 * *', '5/10 * * * *'],
  'cron-minute': ['60', '-1', '*/0', '1,'],
  environment: ['=x', '1A=2', 'A B=1'],
  'account-or-id': ['-x', 'a b', 'a:b', ''],
  'ip-address': ['10.0.0.256', 'host', '1.2.3'],
  'host-name': ['', '-a', 'a..b', 'a b'],
  'port-or-range': ['http', '80,443'],
  url: ['example.com', 'https:// x'],
};

t.test('the forms take what is right and refuse what is wrong', async (t) => {
  for (const [name, values] of Object.entries(right)) {
    const form = new RegExp(formats[name as keyof typeof formats].pattern, 'u');
    for (const value of values) t.ok(form.test(value), `${name} takes ${value}`);
    for (const value of wrong[name as keyof typeof formats] ?? []) {
      t.notOk(form.test(value), `${name} refuses "${value}"`);
    }
  }
});

t.test('editors take every condition and template of the documentation', async (t) => {
  const { definitions } = policySchemas().module as { definitions: Record<string, unknown> };
  const forms = (name: string): RegExp[] => {
    const { pattern, allOf = [] } = definitions[name] as { pattern?: string; allOf?: object[] };
    const patterns = [pattern, ...allOf.map((part) => (part as { pattern?: string }).pattern)];
    return patterns.filter((one) => one !== undefined).map((one) => new RegExp(one, 'u'));
  };
  const pages = [
    ['conditions.md', 'condition', 'answer', forms('when')],
    ['templates.md', 'template', 'output', forms('template')],
  ] as const;
  for (const [page, language, answer, patterns] of pages) {
    const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
    const block = new RegExp(`\`\`\`${language}[^\\n]*\\n([^]*?)\`\`\`\\n\`\`\`${answer}`, 'g');
    const examples = [...text.matchAll(block)].map(([, example]) => example!.trim());
    t.ok(examples.length > 3, `${page} has examples`);
    for (const example of examples) {
      t.ok(
        patterns.every((pattern) => pattern.test(example)),
        example,
      );
    }
  }
});
