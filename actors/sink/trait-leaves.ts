import { isSearchable } from '../selector/selector.ts';

/** Leaves that are found by value of one envoy; a machine with 3,000 packages has 3,500. */
export const leafLimit = 8_192;
export const leafLengthLimit = 256;

/** A path and one value there, as a selector names them: ["os.family", "debian"]. */
export type TraitLeaf = readonly [path: string, value: string];

/**
 * Every text, number and boolean of a traits document. Elements of a list stand under the list's own
 * path: an envoy with two addresses is found by each.
 */
export function traitLeaves(traits: unknown): TraitLeaf[] {
  const leaves = new Map<string, TraitLeaf>();
  const visit = (value: unknown, path: string): void => {
    if (leaves.size >= leafLimit || path.length > leafLengthLimit) return;
    if (Array.isArray(value)) {
      for (const element of value) visit(element, path);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, below] of Object.entries(value)) {
        if (path === '' && !isSearchable(name)) continue;
        visit(below, path === '' ? name : `${path}.${name}`);
      }
    } else if (value !== null && value !== undefined && path !== '') {
      const text = String(value);
      if (text.length <= leafLengthLimit) leaves.set(`${path}\u0000${text}`, [path, text]);
    }
  };
  visit(traits, '');
  return [...leaves.values()];
}

/** "debian 13" of the traits, '' when they do not say. */
export function osOf(traits: unknown): string {
  const os = (traits as { os?: { distro?: unknown; family?: unknown; version?: unknown } } | null)
    ?.os;
  const words = [os?.distro ?? os?.family, os?.version].filter(
    (word) => typeof word === 'string' && word !== '',
  );
  return words.join(' ').slice(0, leafLengthLimit);
}
