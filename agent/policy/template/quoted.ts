const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 0x5c,
};

/** One character of a literal: a code point, or a byte of UTF-8 that `\x` and octal escapes give. */
interface Unit {
  readonly code: number;
  readonly isByte: boolean;
  readonly end: number;
}

/**
 * The value of a Go string literal, "interpreted" or `raw`; undefined when it is none. Bytes that
 * are not UTF-8 are refused, since policy is text. https://go.dev/ref/spec#String_literals
 */
export function unquote(literal: string): string | undefined {
  if (literal.startsWith('`')) return literal.slice(1, -1).replaceAll('\r', '');
  if (!literal.includes('\\')) return literal.slice(1, -1);
  const bytes: number[] = [];
  let at = 1;
  while (at < literal.length - 1) {
    const unit = readUnit(literal, at, '"');
    if (unit === undefined) return undefined;
    if (unit.isByte) bytes.push(unit.code);
    else bytes.push(...new TextEncoder().encode(String.fromCodePoint(unit.code)));
    at = unit.end;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}

/** The code point of a Go character literal such as 'a'; undefined when it is none. */
export function unquoteCharacter(literal: string): number | undefined {
  const unit = readUnit(literal, 1, "'");
  return unit === undefined || unit.end !== literal.length - 1 ? undefined : unit.code;
}

function readUnit(literal: string, at: number, quote: string): Unit | undefined {
  const code = literal.codePointAt(at);
  if (code === undefined || literal[at] === quote || literal[at] === '\n') return undefined;
  if (literal[at] !== '\\') return { code, isByte: false, end: at + (code > 0xffff ? 2 : 1) };
  const letter = literal[at + 1] ?? '';
  if (letter === quote) return { code: quote.charCodeAt(0), isByte: false, end: at + 2 };
  if (Object.hasOwn(simpleEscapes, letter)) {
    return { code: simpleEscapes[letter]!, isByte: false, end: at + 2 };
  }
  const digits = /^(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3})/.exec(
    literal.slice(at + 1, at + 10),
  )?.[0];
  if (digits === undefined) return undefined;
  const octal = /^[0-7]/.test(digits);
  const value = Number.parseInt(octal ? digits : digits.slice(1), octal ? 8 : 16);
  const isByte = octal || digits.startsWith('x');
  const most = isByte ? 0xff : 0x10ffff;
  if (value > most || (!isByte && value >= 0xd800 && value <= 0xdfff)) return undefined;
  return { code: value, isByte, end: at + 1 + digits.length };
}
