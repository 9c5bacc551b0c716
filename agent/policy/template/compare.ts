import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Fail, TemplateFunction } from './functions.ts';
import { compareText, typeName } from './values.ts';

function equal(a: PolicyValue, b: PolicyValue, fail: Fail): boolean {
  for (const value of [a, b]) {
    if (typeof value === 'object' && value !== null) {
      return fail(`non-comparable type ${typeName(value)}`);
    }
  }
  if (a === null || b === null) return a === b;
  if (typeof a !== typeof b) return fail('incompatible types for comparison');
  return a === b;
}

/** Negative, zero or positive; only numbers with numbers and text with text. */
function order(a: PolicyValue, b: PolicyValue, fail: Fail): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const ordered = (value: PolicyValue) => typeof value === 'number' || typeof value === 'string';
  if (!ordered(a) || !ordered(b)) return fail('invalid type for comparison');
  return fail('incompatible types for comparison');
}

function ordering(holds: (difference: number) => boolean): TemplateFunction {
  return { least: 2, most: 2, run: ([a, b], fail) => holds(order(a!, b!, fail)) };
}

export const compareFunctions: Record<string, TemplateFunction> = {
  eq: {
    least: 2,
    most: Infinity,
    run: ([first, ...others], fail) => others.some((other) => equal(first!, other, fail)),
  },
  ne: { least: 2, most: 2, run: ([a, b], fail) => !equal(a!, b!, fail) },
  lt: ordering((difference) => difference < 0),
  le: ordering((difference) => difference <= 0),
  gt: ordering((difference) => difference > 0),
  ge: ordering((difference) => difference >= 0),
};
