/** Decimal digits of a number: 0.d1d2d3... times 10 to the `point`. No digits is zero. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/**
 * Go's strconv.FormatFloat for float64: formats b e E f g G x X; a precision of -1 is the fewest
 * digits that read back as the same number.
 */
export function formatFloat(value: number, format: string, precision: number): string {
  if (Number.isNaN(value)) return 'NaN';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size === Infinity) return `${sign || '+'}Inf`;
  const text = formatSize(size, format.toLowerCase(), precision);
  return sign + (format === format.toUpperCase() ? text.toUpperCase() : text);
}

function formatSize(size: number, format: string, precision: number): string {
  switch (format) {
    case 'b': {
      const { mantissa, exponent } = binary(size);
      return `${mantissa}p${exponent < 0 ? '' : '+'}${exponent}`;
    }
    case 'x':
      return hexadecimal(size, precision);
    case 'e':
      return exponential(precision < 0 ? shortest(size) : rounded(size, precision + 1), precision);
    case 'f':
      return fixed(precision < 0 ? shortest(size) : roundedAfterPoint(size, precision), precision);
    default:
      return general(size, precision);
  }
}

/** %e for exponents below -4 or from the precision on, %f between. */
function general(size: number, precision: number): string {
  const isShortest = precision < 0;
  const decimal = isShortest ? shortest(size) : rounded(size, Math.max(precision, 1));
  const count = decimal.digits.length;
  let limit = precision === 0 ? 1 : precision;
  if (limit > count && count >= decimal.point) limit = count;
  if (isShortest) limit = 6;
  const exponent = decimal.point - 1;
  if (exponent < -4 || exponent >= limit) return exponential(decimal, count - 1);
  return fixed(decimal, Math.max(count - decimal.point, 0));
}

function exponential({ digits, point }: Decimal, precision: number): string {
  const places = precision < 0 ? digits.length - 1 : precision;
  const first = digits[0] ?? '0';
  const rest = places > 0 ? `.${digits.slice(1).padEnd(places, '0')}` : '';
  const exponent = digits === '' ? 0 : point - 1;
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${first}${rest}e${exponent < 0 ? '-' : '+'}${power}`;
}

function fixed({ digits, point }: Decimal, precision: number): string {
  const places = precision < 0 ? Math.max(digits.length - point, 0) : precision;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (places === 0) return whole;
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(Math.min(-point, places)) + digits;
  return `${whole}.${fraction.slice(0, places).padEnd(places, '0')}`;
}

function shortest(size: number): Decimal {
  if (size === 0) return { digits: '', point: 0 };
  const [mantissa, power] = size.toExponential().split('e');
  return { digits: mantissa!.replace('.', ''), point: Number(power) + 1 };
}

function rounded(size: number, count: number): Decimal {
  return roundTo(exact(size), count);
}

function roundedAfterPoint(size: number, places: number): Decimal {
  const decimal = exact(size);
  return roundTo(decimal, decimal.point + places);
}

/** To `count` digits, halves to even; trailing zeros go. */
function roundTo({ digits, point }: Decimal, count: number): Decimal {
  if (count < 0) return { digits: '', point: 0 };
  if (count >= digits.length) return { digits, point };
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const odd = count > 0 && Number(kept[count - 1]) % 2 === 1;
  const half = `5${'0'.repeat(rest.length - 1)}`;
  if (rest < half || (rest === half && !odd)) return trimmed(kept, point);
  const raised = (BigInt(kept || '0') + 1n).toString().padStart(count, '0');
  return trimmed(raised, point + raised.length - count);
}

function trimmed(digits: string, point: number): Decimal {
  const kept = digits.replace(/0+$/, '');
  return kept === '' ? { digits: '', point: 0 } : { digits: kept, point };
}

/** All digits of a double; they end, since it is a whole number of a power of two. */
function exact(size: number): Decimal {
  if (size === 0) return { digits: '', point: 0 };
  const { mantissa, exponent } = binary(size);
  const whole = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = whole.toString();
  return trimmed(digits, digits.length + Math.min(exponent, 0));
}

/** size = mantissa * 2^exponent, as strconv splits it. */
function binary(size: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const bits = view.getBigUint64(0);
  const power = Number(bits >> 52n) & 0x7ff;
  const fraction = bits & 0xfffffffffffffn;
  if (power === 0) return { mantissa: fraction, exponent: -1074 };
  return { mantissa: fraction | (1n << 52n), exponent: power - 1075 };
}

/** 0x1.8p+01, rounded to `precision` digits after the point, halves to even. */
function hexadecimal(size: number, precision: number): string {
  let { mantissa, exponent } = binary(size);
  if (mantissa === 0n) exponent = 0;
  else exponent += 60;
  // The leading one goes to bit 60, so that 15 digits follow it.
  while (mantissa !== 0n && mantissa < 1n << 60n) {
    mantissa <<= 1n;
    exponent -= 1;
  }
  if (precision >= 0 && precision < 15) {
    const shift = BigInt(precision * 4);
    const extra = (mantissa << shift) & ((1n << 60n) - 1n);
    mantissa >>= 60n - shift;
    if ((extra | (mantissa & 1n)) > 1n << 59n) mantissa += 1n;
    mantissa <<= 60n - shift;
    if ((mantissa & (1n << 61n)) !== 0n) {
      mantissa >>= 1n;
      exponent += 1;
    }
  }
  const fraction = (mantissa & ((1n << 60n) - 1n)).toString(16).padStart(15, '0');
  const places =
    precision < 0
      ? fraction.replace(/0+$/, '')
      : fraction.slice(0, precision).padEnd(precision, '0');
  const lead = mantissa === 0n ? '0' : '1';
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `0x${lead}${places === '' ? '' : `.${places}`}p${exponent < 0 ? '-' : '+'}${power}`;
}
