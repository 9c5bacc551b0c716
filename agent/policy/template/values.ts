/**
 * What a template computes with. Numbers of policy that are whole and safe are Go's int, all others
 * float64. `undefined` is Go's invalid value (a nil that went through a pipeline), `null` a nil.
 */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | TypedNumber
  | Unknown
  | readonly Value[]
  | ValueMap;

export type ValueMap = { readonly [key: string]: Value };

/** A number whose Go type its value does not tell: the literal 1.0, a byte of a string. */
export class TypedNumber {
  readonly type: 'float64' | 'uint8';
  readonly value: number;

  constructor(type: 'float64' | 'uint8', value: number) {
    this.type = type;
    this.value = value;
  }
}

/** Names below a value that is known by name only; null where anything may be. */
export interface NameTree {
  readonly [name: string]: NameTree | null;
}

/** A value that publish cannot know, such as a trait. Never part of a rendering on a node. */
export class Unknown {
  readonly names: NameTree | null;

  constructor(names: NameTree | null = null) {
    this.names = names;
  }
}

/** The float64, as a plain number where that says the same. */
export function float(value: number): number | TypedNumber {
  return Number.isSafeInteger(value) ? new TypedNumber('float64', value) : value;
}

export function isMap(value: Value): value is ValueMap {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof TypedNumber) &&
    !(value instanceof Unknown)
  );
}

export function isList(value: Value): value is readonly Value[] {
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
export function isTrue(value: Value): boolean {
  if (value === null || value === undefined) return false;
  if (value instanceof TypedNumber) return value.value !== 0;
  if (typeof value !== 'object') return Boolean(value);
  return isList(value) ? value.length > 0 : Object.keys(value).length > 0;
}

export type TypeName =
  | 'nil'
  | 'string'
  | 'bool'
  | 'int'
  | 'uint8'
  | 'float64'
  | '[]interface {}'
  | 'map[string]interface {}';

/** Go's name of the value's type. */
export function typeName(value: Value): TypeName {
  switch (typeof value) {
    case 'undefined':
      return 'nil';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isSafeInteger(value) ? 'int' : 'float64';
    default:
      if (value === null) return 'nil';
      if (value instanceof TypedNumber) return value.type;
      return isList(value) ? '[]interface {}' : 'map[string]interface {}';
  }
}

/** The number of an int, uint8 or float64. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  return value instanceof TypedNumber ? value.value : undefined;
}

const encoder = new TextEncoder();

/** Length in bytes of UTF-8. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // Each half of a surrogate pair counts 2 of the 4 bytes; a lone one would be replaced by 3.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
