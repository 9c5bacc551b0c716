import type { PolicyValue } from '../../protocol/bundle.ts';
import { compareFunctions } from './compare.ts';
import { printf } from './printf.ts';
import { stringFunctions } from './strings.ts';
import { formatValue, isList, isMap, isTrue, typeName } from './values.ts';

/** Ends the rendering with POLICY_TEMPLATE_EXECUTION at the function's position. */
export type Fail = (reason: string) => never;

export interface TemplateFunction {
  /** Numbers of arguments, the piped one included. */
  readonly least: number;
  readonly most: number;
  /** `and`, `or`: arguments are evaluated one by one until this says stop. */
  readonly stopAt?: (value: PolicyValue) => boolean;
  /** A missing key anywhere in its pipeline is null instead of an error. */
  readonly toleratesMissing?: boolean;
  run(args: readonly PolicyValue[], fail: Fail): PolicyValue;
}

const last = (args: readonly PolicyValue[]): PolicyValue => args[args.length - 1]!;

function length(value: PolicyValue, fail: Fail): number {
  if (typeof value === 'string') return new TextEncoder().encode(value).length;
  if (isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  return fail(`len of type ${typeName(value)}`);
}

function index(value: PolicyValue, key: PolicyValue, fail: Fail): PolicyValue {
  if (isMap(value)) {
    if (typeof key !== 'string') return fail(`a map is indexed by text, not ${typeName(key)}`);
    return Object.hasOwn(value, key) ? value[key]! : null;
  }
  if (value === null) return fail('index of untyped nil');
  if (typeof value !== 'string' && !isList(value)) {
    return fail(`can't index item of type ${typeName(value)}`);
  }
  if (typeof key !== 'number' || !Number.isInteger(key)) {
    return fail(`cannot index with type ${typeName(key)}`);
  }
  const items = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  if (key < 0 || key >= items.length) return fail(`index out of range: ${key}`);
  return items[key]!;
}

function slice(args: readonly PolicyValue[], fail: Fail): PolicyValue {
  const [value, ...bounds] = args;
  if (typeof value !== 'string' && !(value !== undefined && isList(value))) {
    return fail(`can't slice item of type ${typeName(value ?? null)}`);
  }
  const size = length(value, fail);
  for (const bound of bounds) {
    if (typeof bound !== 'number' || !Number.isInteger(bound)) {
      return fail(`cannot index slice with type ${typeName(bound)}`);
    }
    if (bound < 0 || bound > size) return fail(`index out of range: ${bound}`);
  }
  const [from, to] = [Number(bounds[0] ?? 0), Number(bounds[1] ?? size)];
  if (from > to) return fail(`invalid slice index: ${from} > ${to}`);
  if (typeof value !== 'string') return value.slice(from, to);
  return new TextDecoder().decode(new TextEncoder().encode(value).subarray(from, to));
}

/** fmt.Sprint: a space between operands when neither is a string. */
function print(args: readonly PolicyValue[]): string {
  let text = '';
  for (const [position, value] of args.entries()) {
    const spaced =
      position > 0 && typeof value !== 'string' && typeof args[position - 1] !== 'string';
    text += (spaced ? ' ' : '') + formatValue(value);
  }
  return text;
}

function replaceCharacters(text: string, pattern: RegExp, table: Record<string, string>): string {
  return text.replace(pattern, (character) => table[character]!);
}

function html(text: string): string {
  return replaceCharacters(text, /["'&<>\0]/g, {
    '"': '&#34;',
    "'": '&#39;',
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '\0': '\uFFFD',
  });
}

function js(text: string): string {
  return text.replace(/[\\'"<>&=\p{C}]/gu, (character) => {
    if (character === '\\' || character === "'" || character === '"') return `\\${character}`;
    const code = character.codePointAt(0)!;
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

function urlquery(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(character)) return character;
    return byte === 0x20 ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

const standard: Record<string, TemplateFunction> = {
  and: { least: 1, most: Infinity, stopAt: (value) => !isTrue(value), run: last },
  or: { least: 1, most: Infinity, stopAt: isTrue, run: last },
  not: { least: 1, most: 1, run: ([value]) => !isTrue(value!) },
  len: { least: 1, most: 1, run: ([value], fail) => length(value!, fail) },
  index: {
    least: 1,
    most: Infinity,
    run: ([value, ...keys], fail) =>
      keys.reduce<PolicyValue>((item, key) => index(item, key, fail), value!),
  },
  slice: { least: 1, most: 3, run: slice },
  print: { least: 0, most: Infinity, run: print },
  println: {
    least: 0,
    most: Infinity,
    run: (args) => `${args.map(formatValue).join(' ')}\n`,
  },
  printf: {
    least: 1,
    most: Infinity,
    run: ([format, ...args], fail) =>
      typeof format === 'string'
        ? printf(format, args)
        : fail(`printf wants a format, not ${typeName(format!)}`),
  },
  html: { least: 1, most: Infinity, run: (args) => html(print(args)) },
  js: { least: 1, most: Infinity, run: (args) => js(print(args)) },
  urlquery: { least: 1, most: Infinity, run: (args) => urlquery(print(args)) },
};

/** Every function a template may call. Helpers take the piped value as their last argument. */
export const templateFunctions: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries({ ...standard, ...compareFunctions, ...stringFunctions }),
);
