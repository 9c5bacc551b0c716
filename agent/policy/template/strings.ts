import { BoundedText } from './bounded-text.ts';
import { formatValue } from './format-verb.ts';
import type { Fail, TemplateFunction } from './functions.ts';
import { quoteText } from './go-quote.ts';
import { byteLength, isList, numberOf, typeName, type Value } from './values.ts';

/** Columns that `indent` may add. */
const indentLimit = 1000;

/** The text of a scalar; lists, maps and nil are refused. */
export function textOf(value: Value, fail: Fail): string {
  const isScalar = value !== null && value !== undefined && !/\{/.test(typeName(value));
  return isScalar ? formatValue(value) : fail(`expected text, got ${typeName(value)}`);
}

export function wholeNumber(value: Value, low: number, high: number, fail: Fail): number {
  const number = numberOf(value);
  if (number === undefined || !Number.isInteger(number) || number < low || number > high) {
    return fail(`expected a whole number from ${low} to ${high}`);
  }
  return number;
}

/** A function of texts only. */
function texts(count: number, run: (...args: string[]) => Value): TemplateFunction {
  return {
    least: count,
    most: count,
    run: (args, fail) => run(...args.map((argument) => textOf(argument, fail))),
  };
}

function indent(start: string): TemplateFunction {
  const run = ([columns, value]: readonly Value[], fail: Fail) => {
    const margin = ' '.repeat(wholeNumber(columns, 0, indentLimit, fail));
    const text = new BoundedText();
    for (const [at, line] of textOf(value, fail).split('\n').entries()) {
      text.add(at === 0 ? start : '\n');
      text.add(line === '' ? '' : margin);
      text.add(line);
    }
    return text.toString();
  };
  return { least: 2, most: 2, run };
}

function replace(old: string, fresh: string, text: string): string {
  const parts = old === '' ? ['', ...text, ''] : text.split(old);
  return joinTexts(parts, fresh);
}

function joinTexts(items: readonly string[], separator: string): string {
  const text = new BoundedText();
  for (const [at, item] of items.entries()) {
    if (at > 0) text.add(separator);
    text.add(item);
  }
  return text.toString();
}

function join([separator, items]: readonly Value[], fail: Fail): string {
  if (!isList(items)) return fail(`join wants a list, got ${typeName(items)}`);
  const texts = items.map((item) => textOf(item, fail));
  return joinTexts(texts, textOf(separator, fail));
}

function repeat([times, value]: readonly Value[], fail: Fail): string {
  const text = new BoundedText();
  text.repeat(textOf(value, fail), wholeNumber(times, 0, Number.MAX_SAFE_INTEGER, fail));
  return text.toString();
}

/** Cuts to `length` bytes of UTF-8, never within a character. */
function truncate([length, value]: readonly Value[], fail: Fail): string {
  let rest = wholeNumber(length, 0, Number.MAX_SAFE_INTEGER, fail);
  let kept = '';
  for (const character of textOf(value, fail)) {
    rest -= byteLength(character);
    if (rest < 0) break;
    kept += character;
  }
  return kept;
}

/** As Go does: one character for one, whatever stands beside it. */
function eachCharacter(text: string, convert: (character: string) => string): string {
  return /^[\0-\x7f]*$/.test(text) ? convert(text) : Array.from(text, convert).join('');
}

function lowerCharacter(text: string): string {
  const lower = text.toLowerCase();
  return lower.length <= text.length ? lower : String.fromCodePoint(lower.codePointAt(0)!);
}

function upperCharacter(text: string): string {
  const upper = text.toUpperCase();
  return upper.length <= text.length ? upper : text;
}

function title(text: string): string {
  return text.replace(/(^|\s)(\p{L})/gu, (_, before: string, letter: string) => {
    return before + upperCharacter(letter);
  });
}

/** Removes the characters of `cutset` at the start, the end, or both. */
function trimCharacters(cutset: string, text: string, sides: 'start' | 'end' | 'both'): string {
  const characters = [...text];
  let from = 0;
  let to = characters.length;
  if (sides !== 'end') while (from < to && cutset.includes(characters[from]!)) from += 1;
  if (sides !== 'start') while (to > from && cutset.includes(characters[to - 1]!)) to -= 1;
  return characters.slice(from, to).join('');
}

/** Helpers on text. The value worked on is the last argument, so that it can be piped. */
export const stringFunctions: Record<string, TemplateFunction> = {
  lower: texts(1, (text) => eachCharacter(text, lowerCharacter)),
  upper: texts(1, (text) => eachCharacter(text, upperCharacter)),
  title: texts(1, title),
  trim: texts(1, (text) => text.trim()),
  trimAll: texts(2, (cutset, text) => trimCharacters(cutset, text, 'both')),
  trimLeft: texts(2, (cutset, text) => trimCharacters(cutset, text, 'start')),
  trimRight: texts(2, (cutset, text) => trimCharacters(cutset, text, 'end')),
  trimPrefix: texts(2, (prefix, text) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  trimSuffix: texts(2, (suffix, text) =>
    text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text,
  ),
  replace: texts(3, replace),
  split: texts(2, (separator, text) => (separator === '' ? [...text] : text.split(separator))),
  contains: texts(2, (part, text) => text.includes(part)),
  hasPrefix: texts(2, (prefix, text) => text.startsWith(prefix)),
  hasSuffix: texts(2, (suffix, text) => text.endsWith(suffix)),
  quote: texts(1, (text) => quoteText(text)),
  squote: texts(1, (text) => `'${text}'`),
  // A single-quoted word of the POSIX shell.
  shellQuote: texts(1, (text) => `'${replace("'", "'\\''", text)}'`),
  toString: texts(1, (text) => text),
  join: { least: 2, most: 2, run: join },
  indent: indent(''),
  nindent: indent('\n'),
  repeat: { least: 2, most: 2, run: repeat },
  trunc: { least: 2, most: 2, run: truncate },
  // The placeholder of exec's secret file, which is filled in when the command starts.
  secret_file: { least: 0, most: 0, run: () => '{{secret_file}}' },
};
