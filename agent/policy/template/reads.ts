import { isList, isMap, type Value, type ValueMap } from './values.ts';

/** Paths that one set of reads may name; with more, the data as a whole counts as read. */
export const readLimit = 1000;

interface Read {
  readonly path: readonly string[];
  readonly value: Value;
}

/** What renderings read of their data, so that their result can be used until that changes. */
export class Reads {
  readonly #found = new Map<string, Read>();

  /** `value` is what was at the path, undefined when nothing was. */
  add(path: readonly string[], value: Value): void {
    if (this.#found.size < readLimit) this.#found.set(path.join('\0'), { path, value });
    else this.#found.set('', { path: [], value: undefined });
  }

  /** Whether the data still holds, wherever it was read, what it held then. */
  holdIn(data: ValueMap): boolean {
    for (const { path, value } of this.#found.values()) {
      if (path.length === 0 || !same(valueAt(data, path), value)) return false;
    }
    return true;
  }

  paths(): string[] {
    return [...this.#found.values()].map(({ path }) => path.join('.'));
  }
}

function valueAt(data: ValueMap, path: readonly string[]): Value {
  let value: Value = data;
  for (const name of path) {
    if (!isMap(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function same(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (isList(a)) {
    return isList(b) && a.length === b.length && a.every((item, at) => same(item, b[at]));
  }
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}
