import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Diagnostics } from './diagnostics.ts';
import { plainMap, type StackMap, type StackNode, scalarText } from './node.ts';

/** A name that is referred to, and where. */
export interface NamedReference {
  readonly name: string;
  readonly node: StackNode;
}

/** Readers of parts of a document; each reports what has the wrong shape and goes on. */
export class ShapeReader {
  readonly diagnostics: Diagnostics;

  constructor(diagnostics: Diagnostics) {
    this.diagnostics = diagnostics;
  }

  map(node: StackNode | undefined, what: string): StackMap | undefined {
    if (node === undefined || node.kind === 'map') return node;
    return this.#wrong(node, `${what} must be a map`);
  }

  /** Items of a list; a single value stands for a list of one, null for an empty one. */
  items(node: StackNode | undefined): readonly StackNode[] {
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) return [];
    return node.kind === 'list' ? node.items : [node];
  }

  text(node: StackNode | undefined, what: string): string | undefined {
    if (node === undefined) return undefined;
    const text = scalarText(node);
    if (text !== undefined && text !== '') return text;
    return this.#wrong(node, `${what} must be text`);
  }

  /** String-or-list references. */
  names(map: StackMap, key: string): NamedReference[] {
    const found: NamedReference[] = [];
    for (const item of this.items(map.entries.get(key)?.value)) {
      const name = this.text(item, `each item of ${key}`);
      if (name !== undefined) found.push({ name, node: item });
    }
    return found;
  }

  values(map: StackMap, key: string): Record<string, PolicyValue> {
    const entry = map.entries.get(key);
    if (entry?.value.kind === 'scalar' && entry.value.value === null) return {};
    const values = this.map(entry?.value, key);
    return values === undefined ? {} : plainMap(values);
  }

  /** Reports the keys of `map` that are not among `known`. */
  onlyKeys(map: StackMap, known: readonly string[]): void {
    for (const [key, entry] of map.entries) {
      if (known.includes(key)) continue;
      this.diagnostics.unknown(entry.key, 'PUBLISH_UNKNOWN_KEY', 'key', key, known);
    }
  }

  #wrong(node: StackNode, message: string): undefined {
    this.diagnostics.report(node, { code: 'PUBLISH_WRONG_SHAPE', message });
    return undefined;
  }
}
