import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { diagnosticCodes } from '../../../actors/publish/stack/diagnostic-codes.ts';
import { brokenCorpus as corpus, validateDirectory } from '../../support/broken-corpus.ts';
import { editorFindings } from '../../support/editor.ts';
import { exampleStacks } from '../../support/examples.ts';

const root = new URL('../../../', import.meta.url);
const page = new URL('docs/editor.md', root);

/** What is not in the text that an editor shows. */
const outOfSight: readonly string[] = ['PUBLISH_UNREADABLE', 'PUBLISH_LINK', 'PUBLISH_CHANGING'];

function directories(parent: URL, inner = ''): Map<string, string> {
  const entries = readdirSync(parent, { withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => [name, new URL(`${name}${inner}`, parent).pathname]),
  );
}

/** Files that the validator names with the code that the case is about. */
function namedFiles(name: string): string[] {
  const code = name.split('-')[0]!;
  const lines = readFileSync(new URL(`${name}/expected.txt`, corpus), 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith(`${code} `))
    .map((line) => line.slice(code.length + 1).replace(/:\d+:\d+$/, ''));
}

/** Case -> whether the editor flags a file that the validator names. */
async function seen(validate?: typeof validateDirectory): Promise<Map<string, boolean>> {
  const found = await editorFindings(directories(corpus, '/stack'), validate);
  return new Map(
    [...found].map(([name, findings]) => {
      const files = namedFiles(name);
      const flagged = findings.filter((finding) =>
        files.some((file) => finding.startsWith(`${file}: `)),
      );
      return [name, flagged.length > 0];
    }),
  );
}

interface Row {
  readonly code: string;
  readonly cases: number;
  readonly any: number;
  readonly own: number;
}

function rows(any: ReadonlyMap<string, boolean>, own: ReadonlyMap<string, boolean>): Row[] {
  return Object.keys(diagnosticCodes).map((code) => {
    const names = [...any.keys()].filter((name) => name.split('-')[0] === code);
    const sum = (seen: ReadonlyMap<string, boolean>) => names.filter((name) => seen.get(name));
    return { code, cases: names.length, any: sum(any).length, own: sum(own).length };
  });
}

function share(counted: readonly Row[], column: 'any' | 'own'): string {
  const seen = counted.filter((row) => row[column] > 0).length;
  return `${seen} of ${counted.length} (${Math.round((100 * seen) / counted.length)} %)`;
}

function table(all: readonly Row[]): string {
  const visible = all.filter(({ code }) => !outOfSight.includes(code));
  const lines = all.map(({ code, cases, any, own }) => {
    const validator = cases === 0 ? 'yes (no files can show it)' : `${cases} of ${cases}`;
    return `| \`${code}\` | ${validator} | ${any} | ${own} |`;
  });
  return [
    '| Class | Validator | Editor, any stack | Editor, this stack |',
    '|---|---|---|---|',
    ...lines,
    `| **of all ${all.length} classes** | all | ${share(all, 'any')} | ${share(all, 'own')} |`,
    `| **of the ${visible.length} that a file's text can show** | all | ${share(visible, 'any')} | ${share(visible, 'own')} |`,
  ].join('\n');
}

// A real program reads hundreds of files with schemas of their own.
t.setTimeout(240_000);

t.test('an editor flags what publish refuses, class by class', async (t) => {
  const all = rows(await seen(), await seen(validateDirectory));
  const printed = table(all);
  t.comment(`\n${printed}`);
  const text = readFileSync(page, 'utf8');
  const shown = /(<!-- table: .* -->\n)[\s\S]*(<!-- end of table -->)/;
  if (process.env.UPDATE_EDITOR_TABLE === '1') {
    writeFileSync(page, text.replace(shown, `$1${printed}\n$2`));
  }
  t.ok(
    readFileSync(page, 'utf8').includes(printed),
    'docs/editor.md is stale: run this with UPDATE_EDITOR_TABLE=1',
  );
  const flagged = all.filter(({ own }) => own > 0);
  t.ok(flagged.length >= all.length * 0.9, "at least 90 % of the validator's classes");
});

t.test('an editor flags nothing in what publish accepts', async (t) => {
  const valid = new Map([...exampleStacks(), ['demo', new URL('admin/demo/stack', root).pathname]]);
  for (const validate of [undefined, validateDirectory]) {
    for (const [name, findings] of await editorFindings(valid, validate)) {
      t.same(findings, [], `${name}, ${validate ? 'its own' : 'any'} schema`);
    }
  }
});
