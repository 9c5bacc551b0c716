/** Which envoys are meant: every part must hold. Docs: docs/selectors.md. */
export interface Selector {
  readonly text: string;
  readonly parts: readonly SelectorPart[];
}

export type SelectorPart =
  | { readonly kind: 'id'; readonly id: string }
  /** A glob on the host name, lower case; without special characters it is the name itself. */
  | { readonly kind: 'host'; readonly glob: string }
  | {
      readonly kind: 'trait';
      /** "os.family" */
      readonly path: string;
      /** Envoys that have no such trait are meant, too. */
      readonly not: boolean;
      readonly value: string;
      /** `*` and `?` in the value stand for any characters and for one. */
      readonly glob: boolean;
    };

/** What is wrong with a selector, and where. */
export interface SelectorProblem {
  readonly problem: string;
  /** 1-based. */
  readonly column: number;
  /** What to write instead. */
  readonly remedy: string;
}

export const selectorLengthMax = 1_000;
export const selectorPartsMax = 20;

/** Traits that are others at every look: nobody finds a machine by them. */
const restless: ReadonlySet<string> = new Set([
  'time',
  'uptime',
  'loadavg',
  'memory',
  'swap',
  'mountpoints',
  'filesystem',
]);

/** Whether a trait, by the name of its collector, is kept for searching. */
export function isSearchable(path: string): boolean {
  return !restless.has(path.split('.')[0] ?? '');
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const hostForm = /^[a-z0-9._*?[\]{},!^-]+$/i;
const pathForm = /^[a-z][a-z0-9_]*(?:\.[^\s.=!,"]+)*$/i;
const examples = 'examples: web-1, "web-*", os.family=debian, "web-*,os.version!=12"';

/** Reads a selector, or says what is wrong with it. Never throws. */
export function readSelector(text: string): Selector | SelectorProblem {
  if (text.trim() === '') return problem('a selector is empty', 1, examples);
  if (text.length > selectorLengthMax) {
    return problem(`a selector has at most ${selectorLengthMax} characters`, 1, 'ask in two steps');
  }
  const pieces = split(text);
  if (!Array.isArray(pieces)) return pieces;
  if (pieces.length > selectorPartsMax) {
    return problem(`a selector has at most ${selectorPartsMax} parts`, 1, 'use a glob');
  }
  const parts: SelectorPart[] = [];
  for (const piece of pieces) {
    const part = readPart(piece);
    if ('problem' in part) return part;
    parts.push(part);
  }
  return contradiction(parts) ?? { text: text.trim(), parts };
}

export function isProblem(read: Selector | SelectorProblem): read is SelectorProblem {
  return 'problem' in read;
}

/** "column 4: ...; remedy" for one line. */
export function problemText({ problem: what, column, remedy }: SelectorProblem): string {
  return `column ${column}: ${what}; ${remedy}`;
}

interface Piece {
  readonly text: string;
  /** 0-based, in the selector. */
  readonly at: number;
}

function problem(what: string, column: number, remedy: string): SelectorProblem {
  return { problem: what, column, remedy };
}

/** At commas that stand in no quotes and in no braces of a glob. */
function split(text: string): Piece[] | SelectorProblem {
  const pieces: Piece[] = [];
  let start = 0;
  let quoteAt = -1;
  let braces = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const character = text[at];
    if (quoteAt >= 0) {
      if (character === undefined) {
        return problem('a quotation mark is not closed', quoteAt + 1, 'close it with "');
      }
      if (character === '\\') at += 1;
      else if (character === '"') quoteAt = -1;
      continue;
    }
    if (character === '"') quoteAt = at;
    else if (character === '{') braces += 1;
    else if (character === '}') braces = Math.max(0, braces - 1);
    else if (character === undefined || (character === ',' && braces === 0)) {
      pieces.push(trimmed(text, start, at));
      start = at + 1;
    }
  }
  return pieces;
}

function trimmed(text: string, from: number, to: number): Piece {
  const raw = text.slice(from, to);
  return { text: raw.trim(), at: from + (raw.length - raw.trimStart().length) };
}

function readPart({ text, at }: Piece): SelectorPart | SelectorProblem {
  const column = at + 1;
  if (text === '') return problem('a part is empty', column, 'a comma means "and" between parts');
  const operator = /!=|==|=/.exec(text);
  if (operator !== null) return readTrait(text, operator.index, operator[0], at);
  if (uuidForm.test(text)) return { kind: 'id', id: text.toLowerCase() };
  const foreign = /[<>~]/.exec(text);
  if (foreign !== null) {
    const remedy = 'there are = and !=, and a value may be a glob: os.version=12*';
    return problem(`there is no operator ${foreign[0]}`, column + foreign.index, remedy);
  }
  if (hostForm.test(text)) return { kind: 'host', glob: text.toLowerCase() };
  return problem(`${JSON.stringify(text)} is no host name, glob, id or trait`, column, examples);
}

function readTrait(
  text: string,
  operatorAt: number,
  operator: string,
  at: number,
): SelectorPart | SelectorProblem {
  const path = text.slice(0, operatorAt).trim();
  if (!pathForm.test(path)) {
    const remedy = 'a path looks like os.family; vigocli envoys traits <host> shows them';
    return problem(`${JSON.stringify(path)} is no path of a trait`, at + 1, remedy);
  }
  if (!isSearchable(path)) {
    const remedy = 'select by what stays, such as os, hardware or packages';
    return problem(`${path} changes all the time and is not kept for searching`, at + 1, remedy);
  }
  const after = text.slice(operatorAt + operator.length).trim();
  const valueColumn = at + operatorAt + operator.length + 1;
  if (after === '') return problem('a value is missing', valueColumn, `${path}="" is empty text`);
  const not = operator === '!=';
  if (after.startsWith('"')) {
    const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(after);
    if (quoted === null) {
      return problem('a quoted value ends at its mark', valueColumn, 'write \\" for a mark in it');
    }
    const value = (quoted[1] ?? '').replaceAll(/\\(.)/g, '$1');
    return { kind: 'trait', path, not, value, glob: false };
  }
  if (/["=]/.test(after)) {
    return problem(`${after} has to stand in quotes`, valueColumn, `write ${path}="..."`);
  }
  return { kind: 'trait', path, not, value: after, glob: /[*?]/.test(after) };
}

/** Nobody has two names, so such a selector would quietly mean nobody. */
function contradiction(parts: readonly SelectorPart[]): SelectorProblem | undefined {
  const exact = parts.flatMap((part) =>
    part.kind === 'id' ? [part.id] : part.kind === 'host' && isExact(part.glob) ? [part.glob] : [],
  );
  const [first, second] = [...new Set(exact)];
  if (first === undefined || second === undefined || uuidForm.test(first) !== uuidForm.test(second))
    return undefined;
  const remedy = `a comma means "and"; for one of several write {${first},${second}}`;
  return problem(`no envoy is both ${first} and ${second}`, 1, remedy);
}

/** Without characters that stand for others. */
export function isExact(glob: string): boolean {
  return !/[*?[\]{}!^]/.test(glob);
}
