import type { PolicyValue } from '../../protocol/bundle.ts';

export type ValueMap = { readonly [key: string]: PolicyValue };

export function isMap(value: PolicyValue): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: PolicyValue): value is readonly PolicyValue[] {
  return Array.isArray(value);
}

/** Keys in Go's order: by bytes of UTF-8, which is by code point. */
export function sortedKeys(map: ValueMap): string[] {
  return Object.keys(map).sort(compareText);
}

/** Compares by code point; JavaScript's own order is by UTF-16 unit. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    const surrogates = Number(x >= 0xd800 && x <= 0xdfff) - Number(y >= 0xd800 && y <= 0xdfff);
    return surrogates === 0 ? x - y : surrogates;
  }
  return a.length - b.length;
}

/** text/template: false, 0, nil and anything of length zero are false. */
export function isTrue(value: PolicyValue): boolean {
  if (value === null) return false;
  if (typeof value !== 'object') return Boolean(value);
  return isList(value) ? value.length > 0 : Object.keys(value).length > 0;
}

/** Go's name of the value's type, for messages. */
export function typeName(value: PolicyValue): string {
  if (value === null) return 'nil';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float64';
    default:
      return isList(value) ? '[]interface {}' : 'map[string]interface {}';
  }
}

/** fmt's %v. */
export function formatValue(value: PolicyValue): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(formatValue).join(' ')}]`;
  const pairs = sortedKeys(value).map((key) => `${key}:${formatValue(value[key]!)}`);
  return `map[${pairs.join(' ')}]`;
}

/** Go's shortest form: an exponent below 1e-4 and from 1e21 on, of two digits at least. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  return size < 1e-4 || size >= 1e21 ? goExponent(value.toExponential()) : String(value);
}

/** 1e+5 -> 1e+05 */
export function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Go's strconv.Quote. */
export function quoteText(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '\x07': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '"': '\\"',
    '\\': '\\\\',
  };
  const escaped = text.replace(/[\p{C}\p{Z}"\\]/gu, (character) => {
    if (character === ' ') return character;
    const known = named[character];
    if (known !== undefined) return known;
    const code = character.codePointAt(0)!;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (code > 0xffff) return `\\U${code.toString(16).padStart(8, '0')}`;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}
