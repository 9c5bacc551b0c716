import type { Fail, TemplateFunction } from './functions.ts';
import { compareText, isList, isMap, numberOf, typeName, type Value } from './values.ts';

type Kind = 'bool' | 'int' | 'float' | 'string' | 'none';

function kindOf(value: Value): Kind {
  const type = typeName(value);
  if (type === 'int' || type === 'uint8') return 'int';
  if (type === 'float64') return 'float';
  return type === 'bool' || type === 'string' ? type : 'none';
}

const isNil = (value: Value) => value === null || value === undefined;

function equal(a: Value, b: Value, fail: Fail): boolean {
  const kind = kindOf(a);
  if (kind !== kindOf(b)) {
    if (isNil(a) || isNil(b)) return false;
    return fail('incompatible types for comparison');
  }
  if (kind === 'int' || kind === 'float') return numberOf(a) === numberOf(b);
  if (kind !== 'none') return a === b;
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (isList(a) !== isList(b)) return fail('non-comparable types');
  return fail(`non-comparable type ${typeName(isMap(a) ? a : b)}`);
}

/** Negative, zero or positive; only numbers with numbers of their kind and text with text. */
function order(a: Value, b: Value, fail: Fail): number {
  const kind = kindOf(a);
  if (kind === 'none' || kindOf(b) === 'none') return fail('invalid type for comparison');
  if (kind !== kindOf(b)) return fail('incompatible types for comparison');
  if (kind === 'bool') return fail('invalid type for comparison');
  if (kind === 'string') return compareText(String(a), String(b));
  return numberOf(a)! - numberOf(b)!;
}

function ordering(holds: (difference: number) => boolean): TemplateFunction {
  return { least: 2, most: 2, run: ([a, b], fail) => holds(order(a, b, fail)) };
}

export const compareFunctions: Record<string, TemplateFunction> = {
  eq: {
    least: 1,
    most: Infinity,
    run: ([first, ...others], fail) => {
      if (others.length === 0) return fail('eq needs something to compare with');
      return others.some((other) => equal(first, other, fail));
    },
  },
  ne: { least: 2, most: 2, run: ([a, b], fail) => !equal(a, b, fail) },
  lt: ordering((difference) => difference < 0),
  le: ordering((difference) => difference <= 0),
  gt: ordering((difference) => difference > 0),
  ge: ordering((difference) => difference >= 0),
};
