import type { PolicyValue } from '../protocol/bundle.ts';

/**
 * References to secrets in policy: `secret:<path>`, alone or inside longer text. There is no escape:
 * a token of that shape is always a reference. In bundles the reference stands as it was written; its
 * path is not secret. `#<field>` names one field of a secret that has several.
 */
const pattern =
  /(?<!\w)secret:([A-Za-z0-9_](?:[A-Za-z0-9_./-]*[A-Za-z0-9_])?(?:#[A-Za-z0-9_-]+)?)/g;

/** Characters of a path; `#<field>` comes on top. */
export const secretPathLimit = 200;
export const secretFieldLimit = 64;

/** One `secret:<path>` in a text. */
export interface SecretReference {
  /** "db/password" or "db#password": what follows `secret:`. */
  readonly path: string;
  /** Of the `s` of `secret:`, in UTF-16 units. */
  readonly offset: number;
}

export function findReferences(text: string): SecretReference[] {
  if (!text.includes('secret:')) return [];
  return [...text.matchAll(pattern)].map((match) => ({ path: match[1]!, offset: match.index }));
}

/** Adds the paths that stand anywhere in a value. */
export function collectPaths(value: PolicyValue | undefined, into: Set<string>): void {
  if (typeof value === 'string') for (const { path } of findReferences(value)) into.add(path);
  else if (value !== null && typeof value === 'object')
    for (const item of Object.values(value)) collectPaths(item, into);
}

export function holdsReference(value: PolicyValue | undefined): boolean {
  if (typeof value === 'string') return findReferences(value).length > 0;
  if (value === null || typeof value !== 'object') return false;
  return Object.values(value).some(holdsReference);
}

/** The text with each reference replaced by what `replace` gives for its path. */
export function replaceReferences(text: string, replace: (path: string) => string): string {
  if (!text.includes('secret:')) return text;
  return text.replace(pattern, (_whole, path: string) => replace(path));
}

/** The same for every text inside a value. */
export function replaceInValue(value: PolicyValue, replace: (path: string) => string): PolicyValue {
  if (typeof value === 'string') return replaceReferences(value, replace);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => replaceInValue(item, replace));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, replaceInValue(item, replace)]),
  );
}

/** Why no store can hold a secret of this path; undefined when one can. */
export function pathFault(path: string): string | undefined {
  const [name = '', field = ''] = path.split('#');
  if (name.length > secretPathLimit) return `is longer than ${secretPathLimit} characters`;
  if (field.length > secretFieldLimit) return `has a field of more than ${secretFieldLimit}`;
  const parts = name.split('/');
  if (parts.some((part) => !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(part)))
    return 'has an empty part, or one that does not begin with a letter, a digit or "_"';
  return undefined;
}

/**
 * References inside the actions of a template: there they would be worked on before their value is
 * known. Outside of actions, and in variables, they may stand.
 */
export function referencesInActions(text: string): SecretReference[] {
  const references = findReferences(text);
  if (references.length === 0 || !text.includes('{{')) return [];
  const actions = actionRanges(text);
  return references.filter(({ offset }) =>
    actions.some(([start, end]) => offset > start && offset < end),
  );
}

/** From `{{` to behind `}}`, as text/template reads them: strings and comments may hold braces. */
function actionRanges(text: string): [number, number][] {
  const ranges: [number, number][] = [];
  const token = /\/\*[\s\S]*?\*\/|"(?:\\[\s\S]|[^"\\\n])*"|`[^`]*`|'(?:\\[\s\S]|[^'\\\n])*'|\}\}/g;
  for (let start = text.indexOf('{{'); start !== -1; ) {
    token.lastIndex = start + 2;
    let end = text.length;
    for (let found = token.exec(text); found !== null; found = token.exec(text)) {
      if (found[0] !== '}}') continue;
      end = token.lastIndex;
      break;
    }
    ranges.push([start, end]);
    start = text.indexOf('{{', end);
  }
  return ranges;
}
