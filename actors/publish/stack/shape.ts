import type { Diagnostics, Place } from './diagnostics.ts';
import type { ConditionalVars, VarsDeclaration } from './model.ts';
import { nameFault } from './names.ts';
import { plainValue, type StackMap, type StackNode, scalarText } from './node.ts';

/** A name that is referred to, and where. */
export interface NamedReference {
  readonly name: string;
  readonly node: StackNode;
}

export const noVars: VarsDeclaration = { values: {}, places: new Map() };

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

  /** A name that others refer to; one that cannot be a name is reported and kept. */
  name(node: StackNode | undefined, what: string): string | undefined {
    const name = this.text(node, what);
    if (name !== undefined && node !== undefined) this.checkName(name, node);
    return name;
  }

  checkName(name: string, place: Place): void {
    const fault = nameFault(name);
    if (fault !== undefined) {
      this.diagnostics.report(place, { code: 'PUBLISH_BAD_NAME', message: fault });
    }
  }

  /** A map that may be left empty. */
  optionalMap(map: StackMap, key: string): StackMap | undefined {
    const entry = map.entries.get(key);
    if (entry?.value.kind === 'scalar' && entry.value.value === null) return undefined;
    return this.map(entry?.value, key);
  }

  vars(map: StackMap, key = 'vars'): VarsDeclaration {
    return this.varsOf(this.optionalMap(map, key));
  }

  varsOf(map: StackMap | undefined): VarsDeclaration {
    if (map === undefined || map.entries.size === 0) return noVars;
    for (const [name, entry] of map.entries) this.checkName(name, entry.key);
    const entries = [...map.entries];
    return {
      values: Object.fromEntries(entries.map(([name, { value }]) => [name, plainValue(value)])),
      places: new Map(entries.map(([name, { key: place }]) => [name, place])),
    };
  }

  /** `conditional_vars`: a list of `when` and `vars`. */
  conditionalVars(map: StackMap): ConditionalVars[] {
    const found: ConditionalVars[] = [];
    for (const node of this.items(map.entries.get('conditional_vars')?.value)) {
      const item = this.map(node, 'each item of conditional_vars');
      if (item === undefined) continue;
      this.onlyKeys(item, ['when', 'vars']);
      const condition = item.entries.get('when')?.value;
      const when = this.text(condition, 'when');
      for (const key of ['when', 'vars']) {
        if (!item.entries.has(key)) this.missing(item, `the conditional variables have no ${key}`);
      }
      if (when === undefined || condition === undefined) continue;
      found.push({ when, node: condition, vars: this.vars(item) });
    }
    return found;
  }

  missing(map: StackMap, message: string): void {
    this.diagnostics.report(map, { code: 'PUBLISH_MISSING_KEY', message });
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
