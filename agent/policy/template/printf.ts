import { noFlags, type VerbFlags, VerbFormatter } from './format-verb.ts';
import { numberOf, typeName, type Value } from './values.ts';

/** Go's largest width and precision. */
const widthLimit = 1_000_000;

/** Go's fmt.Sprintf with flags, widths, precisions, `*` and argument indexes. */
export function printf(format: string, args: readonly Value[]): string {
  return new Printf(format, args).run();
}

class Printf {
  readonly #format: string;
  readonly #args: readonly Value[];
  readonly #formatter = new VerbFormatter();
  readonly #lastBracket: number;
  #at = 0;
  #next = 0;
  #afterIndex = false;
  #reordered = false;
  #goodIndex = true;

  constructor(format: string, args: readonly Value[]) {
    this.#format = format;
    this.#args = args;
    this.#lastBracket = format.lastIndexOf(']');
  }

  run(): string {
    const { out } = this.#formatter;
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent === -1 ? this.#format.length : percent;
      out.add(this.#format.slice(this.#at, end));
      if (percent === -1) break;
      this.#at = percent + 1;
      this.#verb();
    }
    if (!this.#reordered && this.#next < this.#args.length) this.#extra();
    return out.toString();
  }

  #verb(): void {
    const { out } = this.#formatter;
    this.#goodIndex = true;
    const flags = noFlags();
    this.#formatter.flags = flags;
    this.#readFlags(flags);
    this.#index();
    this.#width(flags);
    this.#precision(flags);
    if (!this.#afterIndex) this.#index();
    const code = this.#format.codePointAt(this.#at);
    if (code === undefined) {
      out.add('%!(NOVERB)');
      return;
    }
    const verb = String.fromCodePoint(code);
    this.#at += verb.length;
    if (verb === '%') out.add('%');
    else if (!this.#goodIndex) out.add(`%!${verb}(BADINDEX)`);
    else if (this.#next >= this.#args.length) out.add(`%!${verb}(MISSING)`);
    else {
      if (verb === 'v') {
        [flags.sharpV, flags.sharp] = [flags.sharp, false];
        [flags.plusV, flags.plus] = [flags.plus, false];
      }
      this.#formatter.argument(this.#args[this.#next], verb);
      this.#next += 1;
    }
  }

  #readFlags(flags: VerbFlags): void {
    for (; ; this.#at += 1) {
      switch (this.#format[this.#at]) {
        case '#':
          flags.sharp = true;
          break;
        case '0':
          flags.zero = !flags.minus;
          break;
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          flags.zero = false;
          break;
        case ' ':
          flags.space = true;
          break;
        default:
          // Go has a short way for plain verbs that leaves an index of before alone.
          return;
      }
    }
  }

  #width(flags: VerbFlags): void {
    if (this.#format[this.#at] === '*') {
      this.#at += 1;
      const width = this.#starArgument();
      if (width === undefined) this.#formatter.out.add('%!(BADWIDTH)');
      flags.width = width === undefined ? undefined : Math.abs(width);
      if (width !== undefined && width < 0) {
        flags.minus = true;
        flags.zero = false;
      }
      this.#afterIndex = false;
      return;
    }
    flags.width = this.#number();
    if (this.#afterIndex && flags.width !== undefined) this.#goodIndex = false;
  }

  #precision(flags: VerbFlags): void {
    if (this.#format[this.#at] !== '.' || this.#at + 1 >= this.#format.length) return;
    this.#at += 1;
    if (this.#afterIndex) this.#goodIndex = false;
    this.#index();
    if (this.#format[this.#at] === '*') {
      this.#at += 1;
      const precision = this.#starArgument();
      const known = precision !== undefined && precision >= 0;
      if (!known) this.#formatter.out.add('%!(BADPREC)');
      flags.precision = known ? precision : undefined;
      this.#afterIndex = false;
      return;
    }
    flags.precision = this.#number() ?? 0;
  }

  /** `[3]`: the argument to take next, counted from 1. */
  #index(): void {
    this.#afterIndex = false;
    if (this.#format[this.#at] !== '[') return;
    this.#reordered = true;
    const closes = this.#at < this.#lastBracket;
    const close = closes ? this.#format.indexOf(']', this.#at + 1) : -1;
    if (close === -1 || this.#format.length - this.#at < 3) {
      this.#goodIndex = false;
      this.#at += 1;
      return;
    }
    const text = this.#format.slice(this.#at + 1, close);
    this.#at = close + 1;
    const known = /^\d{1,7}$/.test(text);
    const position = Number(text) - 1;
    this.#afterIndex = known;
    if (known && position >= 0 && position < this.#args.length) this.#next = position;
    else this.#goodIndex = false;
  }

  #starArgument(): number | undefined {
    if (this.#next >= this.#args.length) return undefined;
    const value = this.#args[this.#next];
    this.#next += 1;
    const number = numberOf(value);
    if (number === undefined || typeName(value) === 'float64') return undefined;
    return Math.abs(number) > widthLimit ? undefined : number;
  }

  #number(): number | undefined {
    let value: number | undefined;
    while (/^\d$/.test(this.#format[this.#at] ?? '')) {
      if ((value ?? 0) > widthLimit) {
        this.#at = this.#format.length;
        return undefined;
      }
      value = (value ?? 0) * 10 + Number(this.#format[this.#at]);
      this.#at += 1;
    }
    return value;
  }

  #extra(): void {
    const { out } = this.#formatter;
    this.#formatter.flags = noFlags();
    out.add('%!(EXTRA ');
    for (const [position, value] of this.#args.slice(this.#next).entries()) {
      if (position > 0) out.add(', ');
      if (value === null || value === undefined) out.add('<nil>');
      else {
        out.add(`${typeName(value)}=`);
        this.#formatter.argument(value, 'v');
      }
    }
    out.add(')');
  }
}
