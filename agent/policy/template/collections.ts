import type { Fail, TemplateFunction } from './functions.ts';
import { textOf } from './strings.ts';
import {
  compareText,
  isList,
  isMap,
  isTrue,
  sortedKeys,
  typeName,
  type Value,
  type ValueMap,
} from './values.ts';

function listOf(value: Value, fail: Fail): readonly Value[] {
  return isList(value) ? value : fail(`expected a list, got ${typeName(value)}`);
}

function mapOf(value: Value, fail: Fail): ValueMap {
  return isMap(value) ? value : fail(`expected a map, got ${typeName(value)}`);
}

function dict(args: readonly Value[], fail: Fail): Value {
  if (args.length % 2 !== 0) return fail('dict wants pairs of a key and a value');
  const pairs: [string, Value][] = [];
  for (let at = 0; at < args.length; at += 2) pairs.push([textOf(args[at], fail), args[at + 1]]);
  return Object.fromEntries(pairs);
}

function one(run: (value: Value, fail: Fail) => Value): TemplateFunction {
  return { least: 1, most: 1, run: ([value], fail) => run(value, fail) };
}

function two(run: (a: Value, b: Value, fail: Fail) => Value): TemplateFunction {
  return { least: 2, most: 2, run: ([a, b], fail) => run(a, b, fail) };
}

/** Key for comparing scalars of different types: 1 and "1" differ. */
function identity(value: Value, fail: Fail): string {
  return `${typeName(value)} ${textOf(value, fail)}`;
}

function unique(value: Value, fail: Fail): Value {
  const seen = new Map<string, Value>();
  for (const item of listOf(value, fail)) {
    const key = identity(item, fail);
    if (!seen.has(key)) seen.set(key, item);
  }
  return [...seen.values()];
}

function has(wanted: Value, list: Value, fail: Fail): boolean {
  const key = identity(wanted, fail);
  return listOf(list, fail).some(
    (item) => typeof item === typeof wanted && identity(item, fail) === key,
  );
}

function sortAlpha(value: Value, fail: Fail): Value {
  return listOf(value, fail)
    .map((item) => textOf(item, fail))
    .sort(compareText);
}

/** Later maps give way to earlier ones, as in Sprig. */
function merge(args: readonly Value[], fail: Fail): Value {
  const maps = args.map((value) => mapOf(value, fail)).reverse();
  return Object.fromEntries(maps.flatMap((map) => Object.entries(map)));
}

/** Helpers on lists and maps, and those that choose between values. Nothing is changed in place. */
export const collectionFunctions: Record<string, TemplateFunction> = {
  default: {
    least: 2,
    most: 2,
    toleratesMissing: true,
    run: ([fallback, value]) => (isTrue(value) ? value : fallback),
  },
  coalesce: {
    least: 1,
    most: Infinity,
    toleratesMissing: true,
    run: (args) => args.find(isTrue),
  },
  empty: { least: 1, most: 1, toleratesMissing: true, run: ([value]) => !isTrue(value) },
  required: {
    least: 2,
    most: 2,
    toleratesMissing: true,
    run: ([message, value], fail) =>
      value === null || value === undefined || value === '' ? fail(textOf(message, fail)) : value,
  },
  fail: { least: 1, most: 1, run: ([message], fail) => fail(textOf(message, fail)) },
  ternary: { least: 3, most: 3, run: ([yes, no, test]) => (isTrue(test) ? yes : no) },
  list: { least: 0, most: Infinity, run: (args) => [...args] },
  first: one((list, fail) => listOf(list, fail)[0]),
  last: one((list, fail) => listOf(list, fail).at(-1)),
  rest: one((list, fail) => listOf(list, fail).slice(1)),
  append: two((list, item, fail) => [...listOf(list, fail), item]),
  concat: {
    least: 1,
    most: Infinity,
    run: (args, fail) => args.flatMap((list) => [...listOf(list, fail)]),
  },
  reverse: one((list, fail) => [...listOf(list, fail)].reverse()),
  uniq: one(unique),
  has: two(has),
  sortAlpha: one(sortAlpha),
  dict: { least: 0, most: Infinity, run: dict },
  keys: one((map, fail) => sortedKeys(mapOf(map, fail))),
  values: one((map, fail) => {
    const known = mapOf(map, fail);
    return sortedKeys(known).map((key) => known[key]);
  }),
  hasKey: two((map, key, fail) => Object.hasOwn(mapOf(map, fail), textOf(key, fail))),
  get: {
    least: 2,
    most: 3,
    run: ([map, key, fallback], fail) => {
      const [known, name] = [mapOf(map, fail), textOf(key, fail)];
      return Object.hasOwn(known, name) ? known[name] : fallback;
    },
  },
  merge: { least: 1, most: Infinity, run: merge },
};
