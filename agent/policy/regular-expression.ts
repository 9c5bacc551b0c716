/** Flags that a leading group such as `(?im)` may set. */
const inlineFlags = /^\(\?([ims]{1,3})\)/;
/** What other languages have, and ECMAScript would silently read as something else. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/^\\[AzZ]$/, 'use ^ and $ in place of \\A, \\z and \\Z'],
  [/^\\[QE]$/, 'escape each character in place of \\Q...\\E'],
  [/^\[\[?\^?:/, 'use \\s, \\d or \\w in place of a class such as [[:space:]]'],
  [/^\(\?P/, 'write a named group as (?<name>...)'],
  [/^\(\?[a-z]/, 'flags such as (?i) stand at the very beginning, and are i, m and s'],
];
/** An escape, a POSIX class, the beginning of a special group. */
const pieces = /\\.|\[\[\^?:|\[:\w+:\]|\(\?P|\(\?[a-z]/gs;

/** Characters; longer ones the engine refuses only when they are first used. */
const lengthLimit = 10_000;

export type RegularExpression =
  | { readonly expression: RegExp }
  /** After "is no regular expression: "; never quotes the source. */
  | { readonly problem: string };

/**
 * A regular expression as people write it in policy: ECMAScript's, with an optional leading group of
 * the flags i (any case), m (^ and $ at the ends of lines) and s (. takes line feeds too).
 */
export function parseRegularExpression(source: string, flags = ''): RegularExpression {
  if (source.length > lengthLimit)
    return { problem: `it is longer than ${lengthLimit} characters` };
  const inline = inlineFlags.exec(source);
  const body = inline === null ? source : source.slice(inline[0].length);
  for (const [piece] of body.matchAll(pieces)) {
    const known = foreign.find(([pattern]) => pattern.test(piece));
    if (known !== undefined) return { problem: known[1] };
  }
  try {
    return { expression: new RegExp(body, [...new Set(flags + (inline?.[1] ?? ''))].join('')) };
  } catch {
    return { problem: 'a bracket is not closed, or an operator has nothing to act on' };
  }
}

/** Why the text is no regular expression, after "must be"; undefined when it is one. */
export function regularExpressionProblem(source: string): string | undefined {
  const parsed = parseRegularExpression(source);
  return 'problem' in parsed ? `a regular expression (${parsed.problem})` : undefined;
}
