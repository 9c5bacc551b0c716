import { BoundedText } from './bounded-text.ts';
import { formatValue } from './format-verb.ts';
import type { Fail, TemplateFunction } from './functions.ts';
import { textOf } from './strings.ts';
import { isList, isMap, numberOf, sortedKeys, TypedNumber, utf8, type Value } from './values.ts';

function toJson(value: Value, out: BoundedText): void {
  if (isList(value)) {
    out.add('[');
    for (const [at, item] of value.entries()) {
      if (at > 0) out.add(',');
      toJson(item, out);
    }
    out.add(']');
  } else if (isMap(value)) {
    out.add('{');
    for (const [at, key] of sortedKeys(value).entries()) {
      out.add(`${at > 0 ? ',' : ''}${jsonText(key)}:`);
      toJson(value[key], out);
    }
    out.add('}');
  } else if (typeof value === 'string') out.add(jsonText(value));
  else if (value instanceof TypedNumber) out.add(String(value.value));
  else out.add(value === undefined ? 'null' : JSON.stringify(value));
}

/** JSON.stringify, with the two line separators escaped that scripts would stumble over. */
function jsonText(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (character) =>
    character === '\u2028' ? '\\u2028' : '\\u2029',
  );
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64Encode(text: string): string {
  const bytes = utf8(text);
  const out = new BoundedText();
  for (let at = 0; at < bytes.length; at += 3) {
    const [a, b, c] = [bytes[at]!, bytes[at + 1], bytes[at + 2]];
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    out.add(alphabet[bits >> 18]! + alphabet[(bits >> 12) & 63]!);
    out.add(b === undefined ? '=' : alphabet[(bits >> 6) & 63]!);
    out.add(c === undefined ? '=' : alphabet[bits & 63]!);
  }
  return out.toString();
}

function base64Decode(text: string, fail: Fail): string {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    return fail('this is no base64');
  const digits = text.replace(/=+$/, '');
  const bytes: number[] = [];
  for (let at = 0; at < digits.length; at += 4) {
    const group = [...digits.slice(at, at + 4)].map((digit) => alphabet.indexOf(digit));
    const bits = group.reduce((sum, value, place) => sum | (value << (18 - 6 * place)), 0);
    for (let byte = 1; byte < group.length; byte += 1) bytes.push((bits >> (24 - 8 * byte)) & 255);
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(new Uint8Array(bytes));
  } catch {
    return fail('the decoded base64 is not UTF-8 text');
  }
}

function toNumber(value: Value): number {
  return numberOf(value) ?? (/^[-+]?\d+$/.test(String(value)) ? Number(value) : Number.NaN);
}

function wholeOf(number: number, value: Value, fail: Fail): number {
  return Number.isSafeInteger(number) ? number : fail(`${formatValue(value)} is no whole number`);
}

function arithmetic(run: (a: number, b: number) => number): TemplateFunction {
  return {
    least: 2,
    most: 2,
    run: ([a, b], fail) => {
      const result = run(wholeOf(toNumber(a), a, fail), wholeOf(toNumber(b), b, fail));
      return Number.isSafeInteger(result) ? result : fail('the result is no whole number in range');
    },
  };
}

/** Helpers between text and other forms, and whole-number arithmetic. */
export const encodingFunctions: Record<string, TemplateFunction> = {
  toJson: {
    least: 1,
    most: 1,
    run: ([value]) => {
      const out = new BoundedText();
      toJson(value, out);
      return out.toString();
    },
  },
  b64enc: { least: 1, most: 1, run: ([value], fail) => base64Encode(textOf(value, fail)) },
  b64dec: { least: 1, most: 1, run: ([value], fail) => base64Decode(textOf(value, fail), fail) },
  int: {
    least: 1,
    most: 1,
    run: ([value], fail) => wholeOf(Math.trunc(toNumber(value)), value, fail),
  },
  add: arithmetic((a, b) => a + b),
  sub: arithmetic((a, b) => a - b),
  mul: arithmetic((a, b) => a * b),
  div: arithmetic((a, b) => Math.trunc(a / b)),
  mod: arithmetic((a, b) => a % b),
  max: arithmetic(Math.max),
  min: arithmetic(Math.min),
};
