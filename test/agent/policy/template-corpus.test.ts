/**
 * Without this a template would mean something else here than in Go: the corpus holds what Go 1.19
 * makes of each template; test/tools/template-corpus.ts makes it anew.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { parseTemplate, type TemplateData } from '../../../agent/policy/template/template.ts';
import { fc } from '../../support/property.ts';
import { type CorpusCase, corpusDirectory, corpusTemplates } from '../../tools/template-corpus.ts';
import { corpusData } from '../../tools/template-seeds.ts';

function read(name: string): CorpusCase[] {
  const lines = readFileSync(new URL(name, corpusDirectory), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as CorpusCase);
}

/** The corpus has its values at the top, so that its templates are short. */
const data = corpusData as unknown as TemplateData;

const kinds: Readonly<Record<string, CorpusCase['kind']>> = {
  POLICY_TEMPLATE_SYNTAX: 'parse',
  POLICY_TEMPLATE_EXECUTION: 'exec',
  POLICY_TEMPLATE_LIMIT: 'exec',
  POLICY_TEMPLATE_MISSING_KEY: 'missing',
};

function ours(template: string): { kind: CorpusCase['kind']; output: string } {
  try {
    return { kind: 'ok', output: parseTemplate(template).render(data) };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { kind: kinds[error.code]!, output: '' };
  }
}

/** The two differences that are meant: a nil is never printed, and text is always UTF-8. */
function expected({ kind, output }: CorpusCase): { kind: CorpusCase['kind']; output: string } {
  const refused = kind === 'bytes' || kind === 'nil';
  return refused ? { kind: 'exec', output: '' } : { kind, output };
}

t.test('the corpus is what its seeds and its generator make', async (t) => {
  for (const [name, templates] of Object.entries(corpusTemplates())) {
    t.same(
      read(name).map(({ template }) => template),
      templates,
      name,
    );
  }
});

for (const file of ['hand-written.jsonl', 'generated.jsonl']) {
  t.test(`every template of ${file} gives what Go gives`, async (t) => {
    const cases = read(file);
    t.ok(cases.length >= 400, 'the corpus is there');
    const differing = cases.flatMap((one) => {
      const [is, wanted] = [ours(one.template), expected(one)];
      const same = is.kind === wanted.kind && is.output === wanted.output;
      return same ? [] : [{ template: one.template, is, wanted }];
    });
    t.same(differing, []);
  });
}

/** What an editor's slip does to a template. */
function slipped(template: string, at: number, kind: number, other: string): string {
  const place = at % (template.length + 1);
  const until = kind === 0 ? place + 1 : kind === 1 ? place + (at % 9) : place;
  return template.slice(0, place) + (kind === 2 ? other : '') + template.slice(until);
}

t.test('no slip makes parser, renderer or check fail without a code', async () => {
  const corpus = ['hand-written.jsonl', 'generated.jsonl'].flatMap(read);
  const slip = fc.tuple(
    fc.nat(),
    fc.nat(2),
    fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('{{', '}}', '(', '"')),
  );
  fc.assert(
    fc.property(fc.constantFrom(...corpus), fc.array(slip, { maxLength: 3 }), (one, slips) => {
      const text = slips.reduce(
        (made, [at, kind, other]) => slipped(made, at, kind, other),
        one.template,
      );
      try {
        const template = parseTemplate(text);
        template.check(data, null);
        template.references();
        template.mistakes();
        template.render(data);
        return true;
      } catch (error) {
        return error instanceof AgentError && Object.hasOwn(kinds, error.code);
      }
    }),
    { numRuns: 3000 },
  );
});

t.test('a template that passes the check with everything known renders the same', async (t) => {
  const differing: string[] = [];
  for (const { template } of ['hand-written.jsonl', 'generated.jsonl'].flatMap(read)) {
    let parsed: ReturnType<typeof parseTemplate>;
    try {
      parsed = parseTemplate(template);
    } catch {
      continue;
    }
    // The data as a whole holds the unknown traits, so every branch on it is looked at.
    if (parsed.references().some(({ root }) => root === '')) continue;
    const { mistakes, text } = parsed.check(data, null);
    const rendered = ours(template);
    const good = rendered.kind === 'ok';
    if (mistakes.length > 0 && good) differing.push(template);
    if (text !== undefined && (!good || rendered.output !== text)) differing.push(template);
  }
  t.same(differing, []);
});

t.test('hostile templates end soon, with a code', async (t) => {
  const fill = (piece: string) => piece.repeat(Math.floor(100_000 / piece.length));
  const hostile = [
    fill('{{ $x := 1 }}'),
    fill('{{ len }}'),
    fill('{{ .nope }}'),
    fill('{{ .Traits.nope.x }}'),
    fill('{{ if .Traits.a }}{{ end }}'),
    fill('{{ define "a" }}{{ end }}'),
    fill('{{ (1) }}'),
    fill('{{- 1 -}} \n '),
    fill('"{{`}}'),
    `${fill(' ')}{{- 1 }}`,
    `{{ ${fill('print ')} }}`,
    `{{ ${fill('| print ')} }}`,
    `{{ 1 ${fill('| print ')} }}`,
    `{{ "${fill('\\')}" }}`,
    `{{ ${fill('1')} }}`,
    `{{ ${fill('0.1')} }}`,
    `{{ .${fill('a.')}a }}`,
    fill('{{ range .list }}{{ end }}'),
    `{{ printf "${fill('%d')}" }}`,
    `{{ printf "${fill('%[')}" }}`,
  ];
  for (const source of hostile) {
    const shown = `${source.slice(0, 20)}…`;
    try {
      const template = parseTemplate(source);
      t.ok(template.check(data, { nothing: null }).mistakes.length <= 100, shown);
      t.ok(template.mistakes().length <= 100, shown);
      t.ok(template.references().length >= 0, shown);
      template.render(data);
    } catch (error) {
      t.ok(error instanceof AgentError && Object.hasOwn(kinds, error.code), shown);
    }
  }
});
