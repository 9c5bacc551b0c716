import type { PolicyValue } from '../protocol/bundle.ts';

export type TraitMap = { readonly [name: string]: PolicyValue };

export function isMap(value: PolicyValue | undefined): value is TraitMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function sameValue(a: PolicyValue | undefined, b: PolicyValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, at) => sameValue(item, b[at]))
    );
  }
  if (!isMap(a) || !isMap(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameValue(a[name], b[name]));
}

/** The same value without some names of its maps, at any depth. */
export function without(value: PolicyValue, names: readonly string[]): PolicyValue {
  if (Array.isArray(value)) return value.map((item) => without(item, names));
  if (!isMap(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !names.includes(name));
  return Object.fromEntries(kept.map(([name, inner]) => [name, without(inner, names)]));
}

/** Of the whole, in percent: what a change of use has to reach to be news. */
const stepPercent = 10;

/** Whether two maps with a field `percent` are a step apart, or only one of them has it. */
export function movedAStep(told: PolicyValue | undefined, now: PolicyValue | undefined): boolean {
  const before = percentOf(told);
  const after = percentOf(now);
  if (before === undefined || after === undefined) return before !== after;
  return Math.abs(before - after) >= stepPercent;
}

function percentOf(value: PolicyValue | undefined): number | undefined {
  return isMap(value) && typeof value.percent === 'number' ? value.percent : undefined;
}

/** Used of all, 0 to 100, rounded up. */
export function percentUp(used: number, total: number): number {
  return total <= 0 ? 0 : Math.min(100, Math.ceil((used * 100) / total));
}

/** Code unit order, each once. */
export function sortedTexts(values: Iterable<string>): string[] {
  return [...new Set(values)].sort();
}
