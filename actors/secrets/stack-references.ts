import { isMap, isPair, isScalar, isSeq, type Pair, parseDocument, visit } from 'yaml';
import {
  findReferences,
  pathFault,
  referencesInActions,
} from '../../agent/policy/secret-references.ts';
import type { StackFiles } from '../publish/stack/stack-files.ts';

/** A reference where it is written, or a mistake in one. */
export interface WrittenReference {
  readonly path: string;
  readonly file: string;
  /** UTF-16 units. */
  readonly offset: number;
  /** Why it cannot stand there; undefined when it can. */
  readonly fault: string | undefined;
}

/** References that are looked at; a stack with more of them is refused. */
export const writtenReferenceLimit = 50_000;

/** Keys whose values name things or decide about them: a secret has no business there. */
const nameKeys: ReadonlySet<string> = new Set([
  'name',
  'type',
  'when',
  'case',
  'foreach',
  'depends_on',
  'before',
  'notify',
  'subscribes',
  'match',
  'roles',
  'modules',
  'exclude_modules',
]);

const freeKeys: ReadonlySet<string> = new Set(['vars', 'defaults']);

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Every reference in values of policy files and in template files; comments do not count. */
export function writtenReferences(files: StackFiles): WrittenReference[] {
  const found: WrittenReference[] = [];
  for (const [file, text] of files) {
    if (!text.includes('secret:')) continue;
    if (file.endsWith('.vgo')) inPolicy(file, text, found);
    else inText(file, text, 0, undefined, found);
    if (found.length >= writtenReferenceLimit) break;
  }
  return found;
}

function inPolicy(file: string, text: string, found: WrittenReference[]): void {
  // What is wrong with the YAML itself is reported by its own check.
  const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false });
  if (document.errors.length > 0) return;
  visit(document, {
    Pair(_key, pair, ancestors) {
      // Below these, a key is a name that the author chose.
      if (ancestors.some((one) => isPair(one) && freeKeys.has(keyOf(one)))) return;
      const key = keyOf(pair);
      const { value } = pair;
      if (nameKeys.has(key) && (isScalar(value) || isSeq(value)))
        refuseNames(key, value, file, text, found);
    },
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.range) return;
      const [start, end] = node.range;
      inValue(file, { text, start, end, value: node.value }, found);
    },
  });
}

interface Written {
  /** Of the whole file. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

function inValue(file: string, { text, start, end, value }: Written, found: WrittenReference[]) {
  const misplaced = new Set(referencesInActions(value).map(({ path }) => path));
  let from = start;
  for (const { path } of findReferences(value)) {
    const at = text.indexOf(`secret:${path}`, from);
    const offset = at === -1 || at >= end ? start : at;
    from = offset + 1;
    found.push({ path, file, offset, fault: faultOf(path, misplaced.has(path)) });
  }
}

function inText(
  file: string,
  text: string,
  start: number,
  fault: string | undefined,
  found: WrittenReference[],
): void {
  const misplaced = new Set(referencesInActions(text).map(({ offset }) => offset));
  for (const { path, offset } of findReferences(text)) {
    const own = fault ?? faultOf(path, misplaced.has(offset));
    found.push({ path, file, offset: start + offset, fault: own });
  }
}

function faultOf(path: string, misplaced: boolean): string | undefined {
  if (misplaced)
    return (
      'a secret inside a template action would be worked on before its value is known; put it ' +
      'into a variable, or outside of the action'
    );
  const fault = pathFault(path);
  return fault === undefined ? undefined : `no secret can be called ${path}: it ${fault}`;
}

function refuseNames(
  key: string,
  value: unknown,
  file: string,
  text: string,
  found: WrittenReference[],
): void {
  const nodes = isSeq(value) ? value.items : [value];
  for (const node of nodes) {
    if (isMap(node) || !isScalar(node) || typeof node.value !== 'string' || !node.range) continue;
    const [start] = node.range;
    const fault = `${key} cannot hold a secret: it names or decides something`;
    for (const { path } of findReferences(node.value)) {
      const at = text.indexOf(`secret:${path}`, start);
      found.push({ path, file, offset: at === -1 ? start : at, fault });
    }
  }
}
