import type { PolicyValue } from '../../protocol/bundle.ts';

export const severities = ['critical', 'high', 'medium', 'low', 'unknown'] as const;
export type Severity = (typeof severities)[number];

/** One CVE in one package. */
export interface Vulnerability {
  readonly id: string;
  readonly severity: Severity;
  readonly packageName: string;
  readonly title: string;
}

/** What the output of one tool says. */
export interface Findings {
  /** Its section of the trait. */
  readonly section: Readonly<Record<string, PolicyValue>>;
  readonly vulnerabilities?: readonly Vulnerability[];
}

/** Throws ToolOutputError when the text is not output of the tool. */
export type ToolParser = (text: string) => Findings;

/** Said to people as the reason why a section is missing. */
export class ToolOutputError extends Error {
  override readonly name = 'ToolOutputError';
}

/** Findings of one kind that are named one by one. */
export const findingLimit = 200;
const textLimit = 300;
const controls = /\p{Cc}+/gu;
const halfCharacters = /\p{Cs}/gu;

/** What a tool wrote, fit to be shown: in one line, of limited length. */
export function shown(text: string): string {
  return text.slice(0, textLimit).replace(controls, ' ').replace(halfCharacters, '\ufffd').trim();
}

/** Lines without the colours that tools write for terminals. */
export function* linesOf(text: string): Generator<string> {
  let start = 0;
  while (start <= text.length) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is how colours start
    yield text.slice(start, Math.min(end, start + 4096)).replace(/\u001b\[[0-9;]*m/g, '');
    start = end + 1;
  }
}

export function countSeverities<T extends string>(
  names: readonly T[],
  found: Iterable<T>,
): Record<T, number> {
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;
  for (const name of found) counts[name] += 1;
  return counts;
}
