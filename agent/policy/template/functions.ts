import { BoundedText } from './bounded-text.ts';
import { collectionFunctions } from './collections.ts';
import { compareFunctions } from './compare.ts';
import { encodingFunctions } from './encodings.ts';
import { html, js, urlquery } from './escapes.ts';
import { formatValue, VerbFormatter } from './format-verb.ts';
import { printf } from './printf.ts';
import { stringFunctions } from './strings.ts';
import {
  byteLength,
  isList,
  isMap,
  isTrue,
  numberOf,
  TypedNumber,
  typeName,
  utf8,
  type Value,
} from './values.ts';

/** Ends the rendering with POLICY_TEMPLATE_EXECUTION at the function's position. */
export type Fail = (reason: string) => never;

export interface TemplateFunction {
  /** Numbers of arguments, the piped one included. */
  readonly least: number;
  readonly most: number;
  /** `and`, `or`: arguments are evaluated one by one until this says stop. */
  readonly stopAt?: (value: Value) => boolean;
  /** A missing key anywhere in its pipeline is nil instead of an error. */
  readonly toleratesMissing?: boolean;
  run(args: readonly Value[], fail: Fail): Value;
}

/** Why the number of arguments is wrong. */
export function wantedArguments(name: string, callee: TemplateFunction, given: number): string {
  const { least, most } = callee;
  const range = most === Infinity ? `${least} or more` : `${least} to ${most}`;
  return `${name} takes ${least === most ? least : range} arguments, got ${given}`;
}

function length(value: Value, fail: Fail): number {
  if (typeof value === 'string') return byteLength(value);
  if (isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  return fail(`len of type ${typeName(value)}`);
}

function position(value: Value, most: number, fail: Fail): number {
  const number = numberOf(value);
  if (number === undefined || typeName(value) === 'float64') {
    return fail(`cannot index with type ${typeName(value)}`);
  }
  return number < 0 || number > most ? fail(`index out of range: ${number}`) : number;
}

function index(value: Value, key: Value, fail: Fail): Value {
  if (isMap(value)) {
    if (typeof key !== 'string') return fail(`a map is indexed by text, not ${typeName(key)}`);
    return Object.hasOwn(value, key) ? value[key] : null;
  }
  if (typeof value !== 'string' && !isList(value)) {
    return fail(`can't index item of type ${typeName(value)}`);
  }
  const size = length(value, fail);
  const at = position(key, size, fail);
  if (at === size) return fail(`index out of range: ${at}`);
  return typeof value === 'string' ? new TypedNumber('uint8', utf8(value)[at]!) : value[at];
}

function slice(args: readonly Value[], fail: Fail): Value {
  const [value, ...bounds] = args;
  if (typeof value !== 'string' && !isList(value)) {
    return fail(`can't slice item of type ${typeName(value)}`);
  }
  if (bounds.length === 3 && typeof value === 'string')
    return fail('cannot 3-index slice a string');
  const size = length(value, fail);
  const places = bounds.map((bound) => position(bound, size, fail));
  const [from, to, end] = [places[0] ?? 0, places[1] ?? size, places[2] ?? size];
  if (from > to) return fail(`invalid slice index: ${from} > ${to}`);
  if (to > end) return fail(`invalid slice index: ${to} > ${end}`);
  if (typeof value !== 'string') return value.slice(from, to);
  try {
    const bytes = utf8(value).subarray(from, to);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('slice cuts a character in two; positions count bytes of UTF-8');
  }
}

/** fmt.Sprint: a space between operands when neither is a string. */
function print(args: readonly Value[]): string {
  const formatter = new VerbFormatter(new BoundedText());
  for (const [at, value] of args.entries()) {
    const spaced = at > 0 && typeof value !== 'string' && typeof args[at - 1] !== 'string';
    if (spaced) formatter.out.add(' ');
    formatter.argument(value, 'v');
  }
  return formatter.out.toString();
}

function println(args: readonly Value[]): string {
  const text = new BoundedText();
  for (const [at, value] of args.entries()) text.add((at > 0 ? ' ' : '') + formatValue(value));
  text.add('\n');
  return text.toString();
}

function escaper(encode: (text: string) => string): TemplateFunction {
  return {
    least: 0,
    most: Infinity,
    run: (args, fail) => {
      if (args.some((value) => value === null || value === undefined)) fail('the value is null');
      return encode(print(args));
    },
  };
}

const standard: Record<string, TemplateFunction> = {
  and: {
    least: 1,
    most: Infinity,
    stopAt: (value) => !isTrue(value),
    run: (args) => args[args.length - 1],
  },
  or: { least: 1, most: Infinity, stopAt: isTrue, run: (args) => args[args.length - 1] },
  not: { least: 1, most: 1, run: ([value]) => !isTrue(value) },
  len: { least: 1, most: 1, run: ([value], fail) => length(value, fail) },
  index: {
    least: 1,
    most: Infinity,
    run: ([value, ...keys], fail) => {
      if (value === null || value === undefined) return fail('index of untyped nil');
      return keys.reduce<Value>((item, key) => index(item, key, fail), value);
    },
  },
  slice: { least: 1, most: 4, run: slice },
  print: { least: 0, most: Infinity, run: print },
  println: { least: 0, most: Infinity, run: println },
  printf: {
    least: 1,
    most: Infinity,
    run: ([format, ...args], fail) =>
      typeof format === 'string'
        ? printf(format, args)
        : fail(`printf wants a format, not ${typeName(format)}`),
  },
  html: escaper(html),
  js: escaper(js),
  urlquery: escaper(urlquery),
};

/** Every function a template may call. Helpers take the piped value as their last argument. */
export const templateFunctions: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries({
    ...standard,
    ...compareFunctions,
    ...stringFunctions,
    ...collectionFunctions,
    ...encodingFunctions,
  }),
);
