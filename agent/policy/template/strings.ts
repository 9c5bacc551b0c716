import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Fail, TemplateFunction } from './functions.ts';
import { formatValue, isList, isTrue, quoteText, typeName } from './values.ts';

/** Columns that `indent` may add. */
const indentLimit = 1000;

function textOf(value: PolicyValue | undefined, fail: Fail): string {
  if (value === undefined || value === null || typeof value === 'object') {
    return fail(`expected text, got ${typeName(value ?? null)}`);
  }
  return formatValue(value);
}

/** A function of texts only. */
function texts(count: number, run: (...args: string[]) => PolicyValue): TemplateFunction {
  return {
    least: count,
    most: count,
    run: (args, fail) => run(...args.map((argument) => textOf(argument, fail))),
  };
}

function indent([columns, text]: readonly PolicyValue[], fail: Fail): string {
  if (typeof columns !== 'number' || !(columns >= 0 && columns <= indentLimit)) {
    return fail(`indent wants 0 to ${indentLimit} columns`);
  }
  return textOf(text, fail).replace(/^(?=[^\n])/gm, ' '.repeat(Math.trunc(columns)));
}

function join([separator, items]: readonly PolicyValue[], fail: Fail): string {
  if (items === undefined || !isList(items)) {
    return fail(`join wants a list, got ${typeName(items ?? null)}`);
  }
  return items.map((item) => textOf(item, fail)).join(textOf(separator, fail));
}

/** Our own helpers. The value worked on is the last argument, so that it can be piped. */
export const stringFunctions: Record<string, TemplateFunction> = {
  lower: texts(1, (text) => text.toLowerCase()),
  upper: texts(1, (text) => text.toUpperCase()),
  trim: texts(1, (text) => text.trim()),
  replace: texts(3, (old, fresh, text) => text.replaceAll(old, () => fresh)),
  split: texts(2, (separator, text) => text.split(separator)),
  contains: texts(2, (part, text) => text.includes(part)),
  hasPrefix: texts(2, (prefix, text) => text.startsWith(prefix)),
  hasSuffix: texts(2, (suffix, text) => text.endsWith(suffix)),
  quote: texts(1, quoteText),
  join: { least: 2, most: 2, run: join },
  indent: { least: 2, most: 2, run: indent },
  default: {
    least: 2,
    most: 2,
    toleratesMissing: true,
    run: ([fallback, value]) => (isTrue(value!) ? value! : fallback!),
  },
  // The placeholder of exec's secret file, which is filled in when the command starts.
  secret_file: { least: 0, most: 0, run: () => '{{secret_file}}' },
};
