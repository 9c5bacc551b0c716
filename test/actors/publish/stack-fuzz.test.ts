import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { diagnosticCodes } from '../../../actors/publish/stack/diagnostic-codes.ts';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../../actors/publish/stack/stack.ts';
import { readStackFiles } from '../../../actors/publish/stack/stack-files.ts';
import { canonicalJson } from '../../../agent/protocol/canonical-json.ts';
import { SimulatedDisk } from '../../../runtime/simulate/simulated-disk.ts';
import { fc } from '../../support/property.ts';

/** Good stacks to damage, and cases that once did harm: path -> text as JSON. */
const corpus = new URL('../../corpus/stacks/', import.meta.url);
const seeds = readdirSync(corpus)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map(
    (name) =>
      [
        name,
        JSON.parse(readFileSync(new URL(name, corpus), 'utf8')) as Record<string, string>,
      ] as const,
  );

/** FUZZ_RUNS=100000 for a long search; a case that it finds belongs into the corpus. */
const runs = Number(process.env.FUZZ_RUNS ?? 150);

/** Seconds that a damaged stack may take; a thousand times what a good one does. */
const patienceMs = 20_000;

/** Reads and compiles files as bytes; throws what must never happen. */
async function survive(files: Record<string, Uint8Array>): Promise<string[]> {
  const disk = new SimulatedDisk();
  for (const [path, bytes] of Object.entries(files))
    await disk.writeDurable(`/stack/${path}`, bytes);
  const diagnostics = new Diagnostics();
  const read = await readStackFiles(disk, '/stack', diagnostics);
  const stack = await compileStack(read, diagnostics);
  canonicalJson(stack.documents);
  for (const [index] of stack.documents.entries()) canonicalJson(stack.explain(index));
  canonicalJson(stack.overview());
  canonicalJson(stack.explainHost('web-1.example.com'));
  for (const { code, file, line, column, excerpt } of stack.result.diagnostics) {
    if (!(code in diagnosticCodes)) throw new Error(`unknown code ${code}`);
    if (!(line >= 1 && column >= 1)) throw new Error(`${file}:${line}:${column}`);
    if (excerpt?.includes('\n')) throw new Error('an excerpt is one line');
  }
  return stack.result.diagnostics.map(({ code }) => code);
}

const encode = (text: string) => new TextEncoder().encode(text);
const encodeAll = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path, encode(text)]));

t.test('every stack of the corpus is read to its end', async (t) => {
  for (const [name, files] of seeds) {
    const codes = await survive(encodeAll(files));
    if (name.startsWith('good-')) t.same(codes, [], name);
    else t.pass(`${name}: ${codes.join(' ')}`);
  }
});

const paths = fc.constantFrom(
  'modules/a.vgo',
  'modules/deep/b.vgo',
  'roles.vgo',
  'roles/r.vgo',
  'common.vgo',
  'site/common.vgo',
  'environments.vgo',
  'per_env_overrides.vgo',
  'vars/v.vgo',
  'waivers.vgo',
  'envoys/nodes.vgo',
  'site.vgo',
  'templates/t',
);

t.test('arbitrary bytes in any file of a stack give diagnostics and nothing else', async () => {
  const files = fc.dictionary(paths, fc.uint8Array({ maxLength: 200 }), { maxKeys: 5 });
  await fc.assert(
    fc.asyncProperty(files, async (bytes) => {
      await survive(bytes);
    }),
    { numRuns: runs, timeout: patienceMs },
  );
});

/** What breaks languages: structure, markers, references, numbers, and a lot of one thing. */
const splice = fc.oneof(
  fc.constantFrom(
    '\n',
    ' ',
    '  ',
    '\t',
    '\r',
    '- ',
    ': ',
    ':\n',
    '{',
    '}',
    '[',
    ']',
    ',',
    '|\n',
    '>-\n',
    '"',
    "'",
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '!!set ',
    '!x ',
    '? ',
    '--- ',
    '...\n',
    '%YAML 1.1\n',
    '#',
    '~',
    'null',
    '{{',
    '}}',
    '{{ .Vars',
    '{{ range .Vars.list }}',
    '{{ end }}',
    '{{ .Item }}',
    '{{- ',
    '__proto__: ',
    'constructor: ',
    'toString',
    'secret:a/b',
    'foreach: list\n',
    'case: x\n',
    'match: {a: b}\n',
    'when: changed\n',
    'state: absent\n',
    '0x10',
    '1e999',
    '-0',
    '.inf',
    '.nan',
    '2001-01-01',
    'yes',
    '\u0000',
    '\u202e',
    '\ufeff',
    '\u2028',
    '\ud800',
    '/',
    '../',
    '*',
  ),
  fc.string({ maxLength: 8 }),
  fc.integer({ min: 1, max: 3000 }).map((times) => '['.repeat(times)),
  fc.integer({ min: 1, max: 3000 }).map((times) => 'a: '.repeat(times)),
  fc.integer({ min: 1, max: 3000 }).map((times) => '- '.repeat(times)),
);

interface Edit {
  readonly file: number;
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  file: fc.nat({ max: 20 }),
  at: fc.nat({ max: 2000 }),
  remove: fc.oneof(fc.constant(0), fc.nat({ max: 40 })),
  insert: splice,
});

function damage(files: Record<string, string>, edits: readonly Edit[]): Record<string, string> {
  const damaged = { ...files };
  const names = Object.keys(damaged);
  for (const { file, at, remove, insert } of edits) {
    const name = names[file % names.length]!;
    const text = damaged[name]!;
    const start = at % (text.length + 1);
    damaged[name] = text.slice(0, start) + insert + text.slice(start + remove);
  }
  return damaged;
}

t.test('a good stack, damaged anywhere, gives diagnostics and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...seeds.map(([, files]) => files)),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      async (files, edits) => {
        await survive(encodeAll(damage(files, edits)));
      },
    ),
    { numRuns: runs, timeout: patienceMs },
  );
});

t.test(
  'lines of a good stack in another order or twice give diagnostics and nothing else',
  async () => {
    const moves = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat({ max: 2 })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds.map(([, files]) => files)),
        moves,
        async (files, steps) => {
          const lines = Object.entries(files).flatMap(([path, text]) =>
            text.split('\n').map((line) => [path, line] as const),
          );
          for (const [from, to, kind] of steps) {
            const [, taken] = lines[from % lines.length]!;
            const index = to % lines.length;
            const [path] = lines[index]!;
            lines.splice(index, kind === 0 ? 1 : 0, [path, kind === 2 ? `  ${taken}` : taken]);
          }
          const shuffled: Record<string, string> = {};
          for (const [path, line] of lines) shuffled[path] = `${shuffled[path] ?? ''}${line}\n`;
          await survive(encodeAll(shuffled));
        },
      ),
      { numRuns: runs, timeout: patienceMs },
    );
  },
);
