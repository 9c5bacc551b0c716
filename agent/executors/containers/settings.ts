import { durationMs, type ParameterReader } from '../parameters.ts';

const leastMs = 1000;
const mostMs = 24 * 3_600_000;

/** The parameter `timeout` of the types here, which has a default. */
export function readTimeout(reader: ParameterReader): number {
  const timeout = durationMs(reader.text('timeout') ?? '');
  if (timeout !== undefined && timeout >= leastMs && timeout <= mostMs) return timeout;
  reader.problem('timeout', 'must be seconds, or 30s, 45m, 4h; from 1 s to 24 h');
  return leastMs;
}

/**
 * Words of a command, quoted as in a shell: '...', "..." and backslashes; nothing is expanded.
 * Undefined when a quote is not closed.
 */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === '\\') {
      if (at + 1 === text.length) return undefined;
      at += 1;
      word = (word ?? '') + text[at];
    } else if (character === "'" || character === '"') {
      const quoted = readQuoted(text, at);
      if (quoted === undefined) return undefined;
      word = (word ?? '') + quoted.content;
      at = quoted.end;
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  return word === undefined ? words : [...words, word];
}

/** From the opening quote; `end` is the place of the closing one. */
function readQuoted(text: string, start: number): { content: string; end: number } | undefined {
  const quote = text[start]!;
  let content = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === quote) return { content, end: at };
    const escaped = quote === '"' && character === '\\' && /["\\$`]/.test(text[at + 1] ?? '');
    if (escaped) at += 1;
    content += text[at];
  }
  return undefined;
}
