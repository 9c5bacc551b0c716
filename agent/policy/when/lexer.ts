import { AgentError } from '../../errors.ts';

export interface WhenToken {
  readonly kind: 'word' | 'string' | 'operator' | 'end';
  /** The word, the string's value, or the operator: && || ! ( ) , == != < <= > >= */
  readonly text: string;
  readonly offset: number;
}

/** Longest condition, in UTF-16 units. */
export const whenLengthLimit = 4096;

const word = /[A-Za-z0-9_.:\-/]+/y;
const operator = /&&|\|\||[=!<>]=|[!(),<>]/y;
const space = /\s+/y;

export function lexWhen(text: string): WhenToken[] {
  if (text.length > whenLengthLimit) {
    throw new AgentError('POLICY_WHEN_LIMIT', {
      offset: whenLengthLimit,
      reason: `more than ${whenLengthLimit} characters`,
    });
  }
  const tokens: WhenToken[] = [];
  let offset = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0];
  };
  while (offset < text.length) {
    const blank = match(space);
    if (blank !== undefined) {
      offset += blank.length;
      continue;
    }
    const found = match(operator);
    const name = found === undefined ? match(word) : undefined;
    if (found !== undefined) tokens.push({ kind: 'operator', text: found, offset });
    if (name !== undefined) tokens.push({ kind: 'word', text: name, offset });
    if (found === undefined && name === undefined) {
      const string = readString(text, offset);
      tokens.push({ kind: 'string', text: string.value, offset });
      offset = string.end;
      continue;
    }
    offset += (found ?? name ?? '').length;
  }
  tokens.push({ kind: 'end', text: '', offset: text.length });
  return tokens;
}

function readString(text: string, start: number): { value: string; end: number } {
  if (text[start] !== "'") {
    throw new AgentError('POLICY_WHEN_SYNTAX', { offset: start, reason: unexpected(text[start]!) });
  }
  let value = '';
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text[index]!;
    if (character === "'") return { value, end: index + 1 };
    if (character === '\\' && (text[index + 1] === "'" || text[index + 1] === '\\')) {
      index += 1;
      value += text[index];
    } else {
      value += character;
    }
  }
  throw new AgentError('POLICY_WHEN_SYNTAX', {
    offset: start,
    reason: "the string is not closed with '",
  });
}

function unexpected(character: string): string {
  if (character === '"') return 'use single quotes';
  if (character === '=') return 'write ==';
  if (character === '&' || character === '|') return `write ${character}${character}`;
  return `unexpected character ${JSON.stringify(character)}`;
}
