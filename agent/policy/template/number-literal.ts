/** Why the text is no number that a template can hold. */
export interface BadNumber {
  readonly reason: string;
}

const integer =
  /^([+-]?)(?:0[xX]((?:_?[0-9a-fA-F])+)|0[bB]((?:_?[01])+)|0[oO]?((?:_?[0-7])+)|(0|[1-9](?:_?\d)*))$/;
const decimal =
  /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/;
const hexFloat = /^([+-]?)0[xX](_?[0-9a-fA-F_]*)(?:\.([0-9a-fA-F_]*))?[pP]([+-]?\d+)$/;

/** A Go number literal: what has a point or an exponent is a float64, everything else an int. */
export function readNumber(text: string): { value: number; isFloat: boolean } | BadNumber {
  if (text.endsWith('i')) return { reason: `complex numbers such as ${text} are not supported` };
  const whole = integer.exec(text);
  if (whole !== null) return readInteger(whole, text);
  if (decimal.test(text)) {
    const isFloat = /[.eE]/.test(text);
    const value = Number(text.replaceAll('_', ''));
    if (!isFloat || !Number.isFinite(value)) return { reason: `bad number ${text}` };
    return { value, isFloat };
  }
  const hex = hexFloat.exec(text);
  const digits = hex === null ? '' : `${hex[2]}${hex[3] ?? ''}`.replaceAll('_', '');
  if (hex === null || digits === '' || digits.length > 12 || /__|_$|_\./.test(text)) {
    return { reason: `bad number ${text}` };
  }
  const places = (hex[3] ?? '').replaceAll('_', '').length;
  const size = Number.parseInt(digits, 16) * 2 ** (Number(hex[4]) - 4 * places);
  if (!Number.isFinite(size)) return { reason: `bad number ${text}` };
  return { value: hex[1] === '-' ? -size : size, isFloat: true };
}

function readInteger(match: RegExpExecArray, text: string) {
  const [, sign, hex, binary, octal, plain] = match;
  const bases: [string | undefined, number][] = [
    [hex, 16],
    [binary, 2],
    [octal, 8],
    [plain, 10],
  ];
  const [digits, base] = bases.find(([found]) => found !== undefined)!;
  const size = Number.parseInt(digits!.replaceAll('_', ''), base);
  if (!Number.isSafeInteger(size)) return { reason: `${text} is beyond 2^53` };
  return { value: sign === '-' ? 0 - size : size, isFloat: false };
}
