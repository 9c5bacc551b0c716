import type { PolicyValue } from '../../protocol/bundle.ts';
import {
  formatNumber,
  formatValue,
  goExponent,
  isList,
  isMap,
  quoteText,
  sortedKeys,
  typeName,
} from './values.ts';

/** Largest width and precision of a verb. */
export const printfWidthLimit = 10_000;

interface Verb {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
}

const verbPattern = /%([-+# 0]*)(\d*)(?:\.(\d*))?(.?)/gsu;

/** Go's fmt.Sprintf for strings, numbers, booleans, lists and maps (no `*`, no argument indexes). */
export function printf(format: string, args: readonly PolicyValue[]): string {
  let used = 0;
  const text = format.replace(
    verbPattern,
    (_, flags: string, width: string, precision: string | undefined, letter: string) => {
      if (letter === '%') return '%';
      if (letter === '') return '%!(NOVERB)';
      if (used >= args.length) return `%!${letter}(MISSING)`;
      const argument = args[used]!;
      used += 1;
      return formatVerb(argument, {
        flags,
        width: Math.min(Number(width), printfWidthLimit),
        precision:
          precision === undefined ? undefined : Math.min(Number(precision), printfWidthLimit),
        letter,
      });
    },
  );
  if (used >= args.length) return text;
  const extra = args.slice(used).map((item) => `${typeName(item)}=${formatValue(item)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function formatVerb(value: PolicyValue, verb: Verb): string {
  if (verb.letter === 'T') return pad(typeName(value), verb, false);
  if (value !== null && isList(value)) {
    return `[${value.map((item) => formatVerb(item, verb)).join(' ')}]`;
  }
  if (value !== null && isMap(value)) {
    const pairs = sortedKeys(value).map(
      (key) => `${formatVerb(key, verb)}:${formatVerb(value[key]!, verb)}`,
    );
    return `map[${pairs.join(' ')}]`;
  }
  const text = formatScalar(value, verb);
  if (text !== undefined) return pad(text, verb, typeof value === 'number');
  return value === null
    ? `%!${verb.letter}(<nil>)`
    : `%!${verb.letter}(${typeName(value)}=${formatValue(value)})`;
}

function formatScalar(value: string | number | boolean | null, verb: Verb): string | undefined {
  if (verb.letter === 'v' && (value === null || typeof value === 'boolean')) {
    return formatValue(value);
  }
  if (typeof value === 'string') return formatString(value, verb);
  if (typeof value === 'boolean') return verb.letter === 't' ? String(value) : undefined;
  if (value === null) return undefined;
  return Number.isInteger(value) ? formatInteger(value, verb) : formatFloat(value, verb);
}

function formatString(value: string, verb: Verb): string | undefined {
  const cut = verb.precision === undefined ? value : [...value].slice(0, verb.precision).join('');
  switch (verb.letter) {
    case 'v':
      return verb.flags.includes('#') ? quoteText(cut) : cut;
    case 's':
      return cut;
    case 'q':
      return quoteText(cut);
    case 'x':
    case 'X': {
      const hex = Array.from(new TextEncoder().encode(cut), (byte) =>
        byte.toString(16).padStart(2, '0'),
      ).join(verb.flags.includes(' ') ? ' ' : '');
      return verb.letter === 'X' ? hex.toUpperCase() : hex;
    }
    default:
      return undefined;
  }
}

const bases: Readonly<Record<string, number>> = { d: 10, v: 10, x: 16, X: 16, o: 8, b: 2 };

function formatInteger(value: number, verb: Verb): string | undefined {
  if (verb.letter === 'c' || verb.letter === 'q' || verb.letter === 'U') {
    const known = value >= 0 && value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff);
    const character = String.fromCodePoint(known ? value : 0xfffd);
    if (verb.letter === 'U') return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    return verb.letter === 'c' ? character : `'${quoteText(character).slice(1, -1)}'`;
  }
  const base = bases[verb.letter];
  // YAML and JSON do not tell 1 from 1.0, so a whole number also answers to the float verbs.
  if (base === undefined) return formatFloat(value, verb);
  if (Math.abs(value) >= 1e21) return withSign(formatNumber(value), value, verb);
  const prefix = verb.flags.includes('#') ? ({ 16: '0x', 8: '0', 2: '0b' }[base] ?? '') : '';
  const digits = Math.abs(value)
    .toString(base)
    .padStart(verb.precision ?? 0, '0');
  const text = withSign((value < 0 ? '-' : '') + prefix + digits, value, verb);
  return verb.letter === 'X' ? text.toUpperCase() : text;
}

function formatFloat(value: number, verb: Verb): string | undefined {
  const digits = Math.min(verb.precision ?? 6, 100);
  switch (verb.letter) {
    case 'f':
    case 'F':
      return withSign(value.toFixed(digits), value, verb);
    case 'e':
    case 'E': {
      const text = withSign(goExponent(value.toExponential(digits)), value, verb);
      return verb.letter === 'E' ? text.toUpperCase() : text;
    }
    case 'g':
    case 'v':
      return withSign(general(value, verb.precision), value, verb);
    default:
      return undefined;
  }
}

/** %g: the shortest digits, or `precision` significant ones without trailing zeros. */
function general(value: number, precision: number | undefined): string {
  if (precision === undefined) return formatNumber(value);
  const digits = Math.min(Math.max(precision, 1), 100);
  const exponent = Number(value.toExponential(digits - 1).split('e')[1]);
  if (exponent < -4 || exponent >= digits) {
    const [mantissa, power] = value.toExponential(digits - 1).split('e');
    return goExponent(`${stripZeros(mantissa!)}e${power}`);
  }
  return stripZeros(value.toFixed(Math.max(0, Math.min(100, digits - 1 - exponent))));
}

function stripZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function withSign(text: string, value: number, verb: Verb): string {
  if (value < 0) return text;
  if (verb.flags.includes('+')) return `+${text}`;
  return verb.flags.includes(' ') ? ` ${text}` : text;
}

function pad(text: string, verb: Verb, numeric: boolean): string {
  const missing = verb.width - [...text].length;
  if (missing <= 0) return text;
  if (verb.flags.includes('-')) return text + ' '.repeat(missing);
  if (!verb.flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = numeric && /^[-+ ]/.test(text) ? text[0]! : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}
