const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/**
 * Reads a Go literal at `start`: "interpreted", `raw`, or 'c' (whose value is the code point).
 * https://go.dev/ref/spec#String_literals
 */
export function readQuoted(
  source: string,
  start: number,
): { value: string | number; end: number } | { reason: string } {
  const quote = source[start]!;
  if (quote === '`') {
    const close = source.indexOf('`', start + 1);
    if (close === -1) return { reason: 'the raw string is not closed with `' };
    return { value: source.slice(start + 1, close).replaceAll('\r', ''), end: close + 1 };
  }
  let value = '';
  let at = start + 1;
  while (at < source.length && source[at] !== '\n' && source[at] !== quote) {
    if (source[at] !== '\\') {
      value += source[at];
      at += 1;
      continue;
    }
    const escaped = readEscape(source, at + 1);
    if (escaped === undefined) return { reason: `bad escape \\${source[at + 1] ?? ''}` };
    value += escaped.value;
    at = escaped.end;
  }
  if (source[at] !== quote) return { reason: `the string is not closed with ${quote}` };
  if (quote === '"') return { value, end: at + 1 };
  const points = [...value];
  if (points.length !== 1) return { reason: 'a character constant is one character' };
  return { value: points[0]!.codePointAt(0)!, end: at + 1 };
}

function readEscape(source: string, at: number): { value: string; end: number } | undefined {
  const letter = source[at] ?? '';
  const simple = Object.hasOwn(simpleEscapes, letter) ? simpleEscapes[letter] : undefined;
  if (simple !== undefined) return { value: simple, end: at + 1 };
  const match = /^(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3})/.exec(
    source.slice(at, at + 9),
  )?.[0];
  if (match === undefined) return undefined;
  const code = /^[0-7]/.test(match)
    ? Number.parseInt(match, 8)
    : Number.parseInt(match.slice(1), 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { value: String.fromCodePoint(code), end: at + match.length };
}
