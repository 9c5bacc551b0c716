import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { describeDiagnostic } from '../../../admin/cli/diagnostic.ts';
import { compileFiles } from './stacks.ts';

const page = new URL('../../../docs/policy.md', import.meta.url);
const block =
  /^```(?<language>\w+) (?<role>file|broken|host|validate)(?:=(?<value>\S+))?\n(?<body>[\s\S]*?)^```$/gm;
/** Columns of the terminal that the page shows. */
const width = 100;

/** What `vigocli config validate` says of the files. */
async function validated(files: Record<string, string>): Promise<string> {
  const { result } = await compileFiles(files);
  const { diagnostics, modules, resources, entries } = result;
  const said = diagnostics.map((diagnostic) => describeDiagnostic(diagnostic, width));
  const count = (number: number, one: string, many = `${one}s`) =>
    `${number} ${number === 1 ? one : many}`;
  const extent = [
    count(modules, 'module'),
    count(resources, 'resource'),
    count(entries, 'node entry', 'node entries'),
  ].join(', ');
  return diagnostics.length === 0 ? `Valid: ${extent}\n` : `${said.join('\n')}\n`;
}

/** What a host gets: a line for each resource. */
async function given(files: Record<string, string>, host: string): Promise<string> {
  const stack = await compileFiles(files);
  const entry = stack.match(host);
  if (entry === undefined) return 'nothing\n';
  const lines = stack.documents[entry]!.modules.flatMap(({ name, resources }) =>
    resources.map((resource) => `${name} / ${resource.name}`),
  );
  return `${lines.join('\n')}\n`;
}

t.test('what docs/policy.md shows is what Vigo says', async (t) => {
  const text = readFileSync(page, 'utf8');
  const files: Record<string, string> = {};
  let broken: Record<string, string> = {};
  let shown = 0;
  const answers = new Map<number, string>();
  for (const match of text.matchAll(block)) {
    const { role, value = '', body = '' } = match.groups!;
    if (role === 'file') files[value] = body;
    else if (role === 'broken') broken = { [value]: body };
    else {
      const now = { ...files, ...broken };
      const answer = role === 'host' ? await given(now, value) : await validated(now);
      answers.set(match.index, answer);
      if (process.env.UPDATE_POLICY_PAGE !== '1') t.equal(body, answer, `${role} ${value}`);
      broken = {};
      shown += 1;
    }
  }
  t.ok(shown > 8, 'the page shows answers');
  t.same((await compileFiles(files)).result.diagnostics, [], 'and ends with a valid stack');
  if (process.env.UPDATE_POLICY_PAGE === '1') {
    const updated = text.replace(block, (whole, ...rest: unknown[]) => {
      const answer = answers.get(rest.at(-3) as number);
      return answer === undefined ? whole : `${whole.split('\n')[0]}\n${answer}\`\`\``;
    });
    writeFileSync(page, updated);
  }
});
