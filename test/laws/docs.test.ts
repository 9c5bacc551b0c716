/** What is lost when this fails: a reader follows a link to nowhere, or never finds a page. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import t from 'tap';

const project = new URL('../../', import.meta.url).pathname;
const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'perf/**/*.md'], {
  cwd: project,
});

/** Without examples, in which brackets mean something else. */
function proseOf(page: string): string {
  const text = readFileSync(join(project, page), 'utf8');
  return text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '``');
}

function headingsOf(page: string): string {
  const text = readFileSync(join(project, page), 'utf8');
  return text.replace(/^```[\s\S]*?^```$/gm, '');
}

/** As GitHub makes them: lower case, without punctuation, spaces as hyphens. */
function anchorsOf(page: string): Set<string> {
  const titles = [...headingsOf(page).matchAll(/^#{1,6} +(.*)$/gm)].map(([, title = '']) => title);
  return new Set(
    titles.map((title) =>
      title
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

interface Link {
  readonly page: string;
  readonly target: string;
}

const links: Link[] = pages.flatMap((page) =>
  [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ page, target })),
);

function isBroken({ page, target }: Link): boolean {
  if (/^[a-z]+:/.test(target)) return false;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), decodeURI(path));
  const found = statSync(join(project, file), { throwIfNoEntry: false });
  if (found === undefined) return true;
  return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor);
}

t.test('every link between pages leads somewhere', async (t) => {
  t.ok(links.length > 200);
  const broken = links.filter(isBroken).map(({ page, target }) => `${page}: ${target}`);
  t.same(broken, []);
});

t.test('every page of docs/ is in its index', async (t) => {
  const index = 'docs/README.md';
  const named = new Set(
    links.filter(({ page }) => page === index).map(({ target }) => join('docs', target)),
  );
  const own = pages.filter(
    (page) =>
      page.startsWith('docs/') &&
      page !== index &&
      !/^docs\/(decisions|reference\/resources)\//.test(page),
  );
  t.same(
    own.filter((page) => !named.has(page)).map((page) => relative('docs', page)),
    [],
  );
});
