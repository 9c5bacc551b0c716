import { BoundedText } from './bounded-text.ts';
import { formatFloat } from './float-text.ts';
import { canBackquote, isPrintable, quoteCharacter, quoteText } from './go-quote.ts';
import {
  isList,
  isMap,
  numberOf,
  sortedKeys,
  TypedNumber,
  type TypeName,
  typeName,
  utf8,
  type Value,
} from './values.ts';

/** Flags, width and precision of one verb. */
export interface VerbFlags {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** %+v */
  plusV: boolean;
  /** %#v */
  sharpV: boolean;
  width: number | undefined;
  precision: number | undefined;
}

export function noFlags(): VerbFlags {
  return {
    minus: false,
    plus: false,
    sharp: false,
    space: false,
    zero: false,
    plusV: false,
    sharpV: false,
    width: undefined,
    precision: undefined,
  };
}

/** Go's fmt for the values of policy (fmt/print.go and fmt/format.go of Go 1.19), bounded. */
export class VerbFormatter {
  readonly out: BoundedText;
  flags: VerbFlags = noFlags();

  constructor(out: BoundedText = new BoundedText()) {
    this.out = out;
  }

  argument(value: Value, verb: string): void {
    if (value === null || value === undefined) {
      if (verb === 'T' || verb === 'v') this.#pad('<nil>');
      else this.#badVerb(value, verb);
      return;
    }
    if (verb === 'T') this.#text(typeName(value));
    else if (verb === 'p' || (verb === 'w' && typeof value === 'object')) {
      this.#badVerb(value, verb);
    } else this.#value(value, verb);
  }

  #value(value: Value, verb: string): void {
    if (value === null || value === undefined) {
      this.out.add(this.flags.sharpV ? 'interface {}(nil)' : '<nil>');
    } else if (typeof value === 'string') this.#string(value, verb);
    else if (typeof value === 'boolean') {
      if (verb === 't' || verb === 'v') this.#pad(String(value));
      else this.#badVerb(value, verb);
    } else if (typeof value === 'number' || value instanceof TypedNumber) {
      const type = typeName(value);
      if (type === 'float64') this.#float(value, verb);
      else this.#integer(value, type, verb);
    } else this.#collection(value, verb);
  }

  #collection(value: Value, verb: string): void {
    const { sharpV } = this.flags;
    const items: [string | undefined, Value][] = isList(value)
      ? value.map((item) => [undefined, item])
      : isMap(value)
        ? sortedKeys(value).map((key) => [key, value[key]])
        : [];
    const start = isList(value) ? '[' : 'map[';
    this.out.add(sharpV ? `${typeName(value)}{` : start);
    for (const [position, [key, item]] of items.entries()) {
      if (position > 0) this.out.add(sharpV ? ', ' : ' ');
      if (key !== undefined) {
        this.#value(key, verb);
        this.out.add(':');
      }
      this.#value(item, verb);
    }
    this.out.add(sharpV ? '}' : ']');
  }

  #badVerb(value: Value, verb: string): void {
    this.out.add(`%!${verb}(`);
    if (value === null || value === undefined) this.out.add('<nil>');
    else {
      this.out.add(`${typeName(value)}=`);
      this.#value(value, 'v');
    }
    this.out.add(')');
  }

  #string(value: string, verb: string): void {
    if (verb === 'x' || verb === 'X') this.#hexBytes(value, verb);
    else if (verb === 'q' || (verb === 'v' && this.flags.sharpV)) this.#quoted(value);
    else if (verb === 's' || verb === 'v') this.#text(value);
    else this.#badVerb(value, verb);
  }

  #text(value: string): void {
    this.#pad(this.#truncate(value));
  }

  #truncate(value: string): string {
    const { precision } = this.flags;
    if (precision === undefined || value.length <= precision) return value;
    let end = 0;
    for (let count = 0; count < precision && end < value.length; count += 1) {
      end += value.codePointAt(end)! > 0xffff ? 2 : 1;
    }
    return value.slice(0, end);
  }

  #quoted(value: string): void {
    const text = this.#truncate(value);
    if (this.flags.sharp && canBackquote(text)) this.#pad(`\`${text}\``);
    else this.#pad(quoteText(text, this.flags.plus));
  }

  #hexBytes(value: string, verb: string): void {
    const { sharp, space, precision, width, minus } = this.flags;
    const bytes = utf8(value).subarray(0, precision);
    const prefix = sharp ? `0${verb}` : '';
    const pairs = Array.from(bytes, (byte) => {
      const pair = byte.toString(16).padStart(2, '0');
      return verb === 'X' ? pair.toUpperCase() : pair;
    });
    const text =
      pairs.length === 0 ? '' : prefix + (space ? pairs.join(` ${prefix}`) : pairs.join(''));
    const missing = (width ?? 0) - text.length;
    if (!minus) this.#padding(missing);
    this.out.add(text);
    if (minus) this.#padding(missing);
  }

  #integer(value: Value, type: TypeName, verb: string): void {
    const number = numberOf(value)!;
    switch (verb) {
      case 'v':
      case 'd':
        if (this.flags.sharpV && type === 'uint8')
          this.#sharp(() => this.#digits(number, 16, verb));
        else this.#digits(number, 10, verb);
        break;
      case 'b':
        this.#digits(number, 2, verb);
        break;
      case 'o':
      case 'O':
        this.#digits(number, 8, verb);
        break;
      case 'x':
      case 'X':
        this.#digits(number, 16, verb);
        break;
      case 'c':
        this.#pad(character(number));
        break;
      case 'q':
        this.#pad(quoteCharacter(character(number), this.flags.plus));
        break;
      case 'U':
        this.#unicode(number);
        break;
      default:
        this.#badVerb(value, verb);
    }
  }

  #sharp(print: () => void): void {
    const { sharp } = this.flags;
    this.flags.sharp = true;
    print();
    this.flags.sharp = sharp;
  }

  #digits(number: number, base: number, verb: string): void {
    const { sharp, plus, space, zero, width, precision } = this.flags;
    const negative = number < 0;
    if (precision === 0 && number === 0) {
      this.#withoutZero(() => this.#padding(width ?? 0));
      return;
    }
    let least = precision ?? 0;
    if (precision === undefined && zero && width !== undefined) {
      least = width - (negative || plus || space ? 1 : 0);
    }
    const text = new BoundedText();
    const digits = Math.abs(number).toString(base);
    text.repeat('0', least - digits.length);
    text.add(digits);
    let all = text.toString();
    if (sharp && base === 2) all = `0b${all}`;
    if (sharp && base === 8 && !all.startsWith('0')) all = `0${all}`;
    if (sharp && base === 16) all = `0x${all}`;
    if (verb === 'O') all = `0o${all}`;
    if (verb === 'X') all = all.toUpperCase();
    const sign = negative ? '-' : plus ? '+' : space ? ' ' : '';
    this.#withoutZero(() => this.#pad(sign + all));
  }

  #unicode(number: number): void {
    const { precision, sharp } = this.flags;
    const text = new BoundedText();
    const digits = BigInt.asUintN(64, BigInt(number)).toString(16).toUpperCase();
    text.add('U+');
    text.repeat('0', Math.max(precision ?? 4, 4) - digits.length);
    text.add(digits);
    const shown = character(number);
    if (sharp && number >= 0 && number <= 0x10ffff && isPrintable(shown)) text.add(` '${shown}'`);
    this.#withoutZero(() => this.#pad(text.toString()));
  }

  #float(value: Value, verb: string): void {
    if ('bgGxX'.includes(verb)) this.#floatText(numberOf(value)!, verb, -1);
    else if (verb === 'v') this.#floatText(numberOf(value)!, 'g', -1);
    else if ('feEF'.includes(verb)) {
      this.#floatText(numberOf(value)!, verb === 'F' ? 'f' : verb, 6);
    } else this.#badVerb(value, verb);
  }

  #floatText(number: number, format: string, defaultPrecision: number): void {
    const { plus, space, sharp, zero, width } = this.flags;
    const precision = this.flags.precision ?? defaultPrecision;
    let text = formatFloat(number, format, precision);
    if (!/^[-+]/.test(text)) text = `+${text}`;
    if (space && text.startsWith('+') && !plus) text = ` ${text.slice(1)}`;
    if (/^.[IN]/.test(text)) {
      const shown = text[1] === 'N' && !space && !plus ? text.slice(1) : text;
      this.#withoutZero(() => this.#pad(shown));
      return;
    }
    if (sharp && format !== 'b') text = withPoint(text, format, precision);
    if (!plus && text.startsWith('+')) {
      this.#pad(text.slice(1));
    } else if (zero && width !== undefined && width > text.length) {
      this.out.add(text[0]!);
      this.#padding(width - text.length);
      this.out.add(text.slice(1));
    } else this.#pad(text);
  }

  #withoutZero(print: () => void): void {
    const { zero } = this.flags;
    this.flags.zero = false;
    print();
    this.flags.zero = zero;
  }

  #pad(text: string): void {
    const { width, minus } = this.flags;
    if (!width) {
      this.out.add(text);
      return;
    }
    const missing = width - countCharacters(text);
    if (!minus) this.#padding(missing);
    this.out.add(text);
    if (minus) this.#padding(missing);
  }

  #padding(count: number): void {
    this.out.repeat(this.flags.zero ? '0' : ' ', count);
  }
}

function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function character(number: number): string {
  const known = number >= 0 && number <= 0x10ffff && !(number >= 0xd800 && number <= 0xdfff);
  return String.fromCodePoint(known ? number : 0xfffd);
}

/** The # flag of floats: always a point, and the zeros that %g would drop. */
function withPoint(text: string, format: string, precision: number): string {
  const match = (format === 'x' || format === 'X' ? /^([^pP]*)(.*)$/ : /^([^eE]*)(.*)$/).exec(
    text,
  )!;
  let mantissa = match[1]!;
  let digits = 0;
  if ('gGx'.includes(format)) digits = precision === -1 ? 6 : precision;
  const shown = mantissa.slice(1).replace('.', '');
  const significant = /[^0].*$/.exec(shown)?.[0].length ?? 0;
  digits -= significant;
  if (!mantissa.includes('.')) {
    if (mantissa.length === 2 && mantissa[1] === '0') digits -= 1;
    mantissa += '.';
  }
  return mantissa + '0'.repeat(Math.max(digits, 0)) + match[2]!;
}

/** fmt's %v. */
export function formatValue(value: Value): string {
  const formatter = new VerbFormatter();
  formatter.argument(value, 'v');
  return formatter.out.toString();
}
