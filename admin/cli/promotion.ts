import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { AdminError } from '../errors.ts';
import { lineChanges } from './text-diff.ts';

/** What is copied from one environment to another. */
export interface Promotion {
  readonly from: string;
  readonly to: string;
  /** What only the target has goes away, so that both tiers are the same. */
  readonly exact: boolean;
}

/** Where environments stand: a module's overrides, or an environments file. */
const tierKeys = ['environment_overrides', 'env'] as const;
const listKeys = ['roles', 'modules', 'configcrates', 'exclude_modules'];

/**
 * The text of a policy file with the tier copied: variables of `from` win, lists get what is missing, comments
 * and the layout of other lines stay. Undefined when the file has no such tier or nothing would change.
 * Throws CLI_NO_STACK when the file is not YAML.
 */
export function promoteText(path: string, text: string, promotion: Promotion): string | undefined {
  const document = parse(path, text);
  const tiers = tierKeys.map((key) => document.get(key)).find((node) => isMap(node));
  if (tiers === undefined || !isMap(tiers)) return undefined;
  const source = tiers.get(promotion.from);
  if (!isMap(source)) return undefined;
  const before = parse(path, text);
  copyTier(document, tiers, source, promotion);
  if (isDeepStrictEqual(before.toJS(), document.toJS())) return undefined;
  return keepLayout(path, text, before, document);
}

/** Names of the environments that a policy file says something of. */
export function environmentsIn(path: string, text: string): string[] {
  const document = parse(path, text);
  const tiers = tierKeys.map((key) => document.get(key)).find((node) => isMap(node));
  return isMap(tiers) ? tiers.items.map(({ key }) => keyText(key)) : [];
}

function parse(path: string, text: string): Document {
  const document = parseDocument(text, { keepSourceTokens: false });
  const [error] = document.errors;
  if (error) throw new AdminError('CLI_NO_STACK', `${path}: ${error.message.split('\n')[0]}`);
  return document;
}

function copyTier(
  document: Document,
  tiers: YAMLMap,
  source: YAMLMap,
  { to, exact }: Promotion,
): void {
  const target = tiers.get(to);
  if (!isMap(target)) {
    tiers.set(to, source.clone());
    return;
  }
  for (const { key } of source.items) {
    const name = keyText(key);
    const [value, old] = [source.get(name, true), target.get(name, true)];
    if (name === 'vars' && isMap(value) && isMap(old)) copyVars(value, old, exact);
    else if (listKeys.includes(name) && !exact) addMissing(document, target, name, value);
    else setValue(target, name, value);
  }
  if (exact) dropOthers(target, source);
}

function copyVars(source: YAMLMap, target: YAMLMap, exact: boolean): void {
  for (const { key } of source.items)
    setValue(target, keyText(key), source.get(keyText(key), true));
  if (exact) dropOthers(target, source);
}

/** Keeps the comment that stands at the old value. */
function setValue(target: YAMLMap, name: string, value: unknown): void {
  const old = target.get(name, true);
  if (isDeepStrictEqual(plain(old), plain(value))) return;
  const copy = isMap(value) || isSeq(value) || isScalar(value) ? value.clone() : value;
  if (isScalar(old) && isScalar(copy)) {
    copy.comment = old.comment ?? null;
    copy.commentBefore = old.commentBefore ?? null;
  }
  target.set(name, copy);
}

/** A list, or a single name, gets the names that it lacks. */
function addMissing(document: Document, target: YAMLMap, name: string, value: unknown): void {
  const old = target.get(name, true);
  const names = (node: unknown): unknown[] => [plain(node) ?? []].flat();
  const missing = names(value).filter((each) => !names(old).includes(each));
  if (missing.length === 0) return;
  if (isSeq(old)) for (const each of missing) old.add(document.createNode(each));
  else target.set(name, document.createNode([...names(old), ...missing]));
}

function dropOthers(target: YAMLMap, source: YAMLMap): void {
  const names = new Set(source.items.map(({ key }) => keyText(key)));
  for (const { key } of [...target.items]) {
    if (!names.has(keyText(key))) target.delete(keyText(key));
  }
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function plain(node: unknown): unknown {
  return isMap(node) || isSeq(node) || isScalar(node) ? (node.toJSON() as unknown) : node;
}

/**
 * Writing a document anew may change spaces and line breaks all over the file. So only the lines that
 * the promotion changed are taken from there, as long as lines correspond and the meaning is the same.
 */
function keepLayout(path: string, text: string, before: Document, after: Document): string {
  const options = {
    lineWidth: 0,
    flowCollectionPadding: !/\{\S/.test(text),
    indentSeq: !/^(\s*)\S.*:\s*\n\1- /m.test(text),
  };
  const [plainBefore, whole] = [before.toString(options), after.toString(options)];
  const rewritten = plainBefore.split('\n');
  const original = correspondence(text.split('\n'), rewritten);
  if (original === undefined) return whole;
  let at = 0;
  const lines: string[] = [];
  for (const [mark, line] of lineChanges(rewritten, whole.split('\n'))) {
    if (mark === ' ') lines.push(...(original[at] ?? [line]));
    if (mark === '+') lines.push(line);
    if (mark !== '+') at += 1;
  }
  const merged = lines.join('\n');
  return isDeepStrictEqual(parse(path, merged).toJS(), after.toJS()) ? merged : whole;
}

/**
 * For each rewritten line the lines of the original that it stands for: the same but for spaces, and empty
 * ones before it. Undefined when other lines differ.
 */
function correspondence(
  original: readonly string[],
  rewritten: readonly string[],
): string[][] | undefined {
  const bare = (lines: readonly string[]) => lines.map((line) => line.replaceAll(/\s/g, ''));
  const found: string[][] = [];
  let pending: string[] = [];
  let at = 0;
  for (const [mark, line] of lineChanges(bare(original), bare(rewritten))) {
    if (mark !== ' ' && line !== '') return undefined;
    if (mark !== '+') pending.push(original[at] ?? '');
    if (mark !== '+') at += 1;
    if (mark === '-') continue;
    found.push(pending);
    pending = [];
  }
  found.at(-1)?.push(...pending);
  return found;
}
