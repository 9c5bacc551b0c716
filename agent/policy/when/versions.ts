/**
 * Negative, zero or positive, part by part: numbers by value, words by letter, a missing part is 0.
 * A word comes after nothing (1.0 < 1.0a) but before a number, `~` before everything (1.0~rc1 < 1.0).
 */
export function compareVersions(a: string, b: string): number {
  const left = a.match(/\d+|[A-Za-z]+|~/g) ?? [];
  const right = b.match(/\d+|[A-Za-z]+|~/g) ?? [];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = compareParts(left[index], right[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareParts(a: string | undefined, b: string | undefined): number {
  const [x, y] = [rank(a), rank(b)];
  if (isNumber(a) && isNumber(b)) return compareNumbers(a ?? '0', b ?? '0');
  if (x !== y) return x - y;
  return (a ?? '') < (b ?? '') ? -1 : Number(a !== b);
}

function isNumber(part: string | undefined): boolean {
  return part === undefined || /^\d/.test(part);
}

/** ~ before nothing before a word before a number. */
function rank(part: string | undefined): number {
  if (part === '~') return 0;
  if (part === undefined) return 1;
  return /^\d/.test(part) ? 3 : 2;
}

/** Digits of any length. */
function compareNumbers(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (x.length !== y.length) return x.length - y.length;
  return x < y ? -1 : Number(x !== y);
}
