import t from 'tap';
import { type Source, sources } from './sources.ts';

const fileLinesMax = 500;
const functionLinesMax = 70;
/** The formatter keeps code within 100; comments and texts get a little more. */
const lineColumnsMax = 120;
/** Literals that the formatter cannot break. */
const unbreakable = /https?:\/\/|(['"`]).{50,}\1|\/.{50,}\//;

/** Rooms in which all nondeterminism enters through ports (design law 6), and their ports. */
const deterministic = /^(runtime|actors)\//;
const ports = /^runtime\/(ports\/|thread|worker|runtime\.ts)|^actors\/server\//;
const nondeterminism =
  /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(|\bprocess\.env\b|\bperformance\.now\(/;

function at(source: Source, index: number, what: string): string {
  return `${source.path}:${index + 1}: ${what}`;
}

function findLines(source: Source, bad: RegExp, what: string): string[] {
  return source.lines.flatMap((line, index) => (bad.test(line) ? [at(source, index, what)] : []));
}

/** The head comment of a long file must say why it is long. */
function tooLong(source: Source): string[] {
  if (source.lines.length <= fileLinesMax + 1) return [];
  const head = source.lines.slice(0, 30).join('\n');
  return /Over 500 lines because/.test(head) ? [] : [at(source, 0, `${source.lines.length} lines`)];
}

/** Finds top-level functions and class methods by indentation, which the formatter guarantees. */
function longFunctions(source: Source): string[] {
  const found: string[] = [];
  const opening =
    /^( {0,2})(?:export |async |static |private |override |get |set |\*|#)*(?:function\b|[\w#]+\s*(?:<[^>]*>)?\().*\{$/;
  source.lines.forEach((line, start) => {
    const match = opening.exec(line);
    if (!match || /^\s*(if|for|while|switch|t\.|return|describe|test)\b/.test(line)) return;
    const end = source.lines.indexOf(`${match[1]}}`, start);
    const length = end - start + 1;
    if (end > 0 && length > functionLinesMax) found.push(at(source, start, `${length} lines long`));
  });
  return found;
}

const all = sources();

t.test('files stay short enough to read in one sitting', async (t) => {
  t.same(all.flatMap(tooLong), []);
});

t.test('functions fit a screen', async (t) => {
  const code = all.filter(({ path }) => !path.startsWith('test/'));
  t.same(code.flatMap(longFunctions), []);
});

t.test('lines stay within the width of a screen', async (t) => {
  const long = all.flatMap((source) =>
    source.lines.flatMap((line, index) =>
      line.length > lineColumnsMax && !unbreakable.test(line)
        ? [at(source, index, `${line.length} columns`)]
        : [],
    ),
  );
  t.same(long, []);
});

t.test('time, chance and environment enter the runtime and the actors through ports', async (t) => {
  const rooms = all.filter(({ path }) => deterministic.test(path) && !ports.test(path));
  t.same(
    rooms.flatMap((source) => findLines(source, nondeterminism, 'nondeterminism')),
    [],
  );
});

t.test('no escape hatches, no leftovers', async (t) => {
  const banned: [RegExp, string][] = [
    [/@ts-ignore|@ts-nocheck/, 'type check switched off'],
    [/\bas any\b|: any\b|<any>/, 'any'],
    [/(\/\/|^\s*\*).*\b(TODO|FIXME|XXX)\b/, 'unfinished work'],
    [/\.(only|skip)\(/, 'a test switched off'],
    [/^export default\b/, 'default export'],
    [/^\s*(export )?(const )?enum\s+\w/, 'enum'],
  ];
  const found = all
    .filter(({ path }) => path !== 'test/laws/style.test.ts')
    .flatMap((source) => banned.flatMap(([bad, what]) => findLines(source, bad, what)));
  t.same(found, []);
});

t.test('file names are in kebab case', async (t) => {
  const name = /^(?:[a-z0-9][a-z0-9-]*)(?:\.(?:lab\.)?test|\.gen|\.d)?\.ts$/;
  t.same(
    all.map(({ path }) => path).filter((path) => !name.test(path.split('/').at(-1) ?? '')),
    [],
  );
});
