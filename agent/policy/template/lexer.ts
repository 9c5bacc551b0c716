import { templateError } from './position.ts';
import { readQuoted } from './quoted.ts';
import type { Piece, Token, TokenKind } from './token.ts';

/** Longest template, in UTF-16 units. */
export const templateLengthLimit = 1_048_576;

const space = /[ \t\r\n]+/y;
const identifier = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const operator = /:=|[|(),=]/y;
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y;

/** Cuts a template into text and tokenised actions. Throws POLICY_TEMPLATE_SYNTAX or _LIMIT. */
export function lexTemplate(source: string): Piece[] {
  if (source.length > templateLengthLimit) {
    const reason = `more than ${templateLengthLimit} characters`;
    throw templateError('POLICY_TEMPLATE_LIMIT', source, templateLengthLimit, { reason });
  }
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open === -1 ? undefined : open);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    if (open === -1) {
      if (text !== '') pieces.push({ kind: 'text', text });
      break;
    }
    const trimBefore = /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    if (trimBefore) text = trimEnd(text);
    if (text !== '') pieces.push({ kind: 'text', text });
    const lexer = new ActionLexer(source, open + (trimBefore ? 3 : 2), open);
    const tokens = lexer.comment() ? undefined : lexer.tokens();
    if (tokens !== undefined) pieces.push({ kind: 'action', tokens, offset: open });
    trimNext = lexer.trimAfter;
    at = lexer.at;
  }
  return pieces;
}

/** By hand: a regular expression anchored at the end is quadratic on long runs of blanks. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\r\n'.includes(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}

class ActionLexer {
  at: number;
  trimAfter = false;
  readonly #source: string;
  readonly #open: number;

  constructor(source: string, at: number, open: number) {
    this.#source = source;
    this.at = at;
    this.#open = open;
  }

  /** Skips a comment and its closing delimiter; false when there is none. */
  comment(): boolean {
    const start = this.#source.slice(this.at, this.at + 3).trimStart();
    if (!start.startsWith('/*')) return false;
    const close = this.#source.indexOf('*/', this.at);
    if (close === -1) throw this.#error(this.#open, 'the comment is not closed');
    this.at = close + 2;
    if (!this.#closes(this.#skipSpace())) {
      throw this.#error(this.at, 'a comment must be alone in its action');
    }
    return true;
  }

  tokens(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      const spaced = this.#skipSpace();
      if (this.at >= this.#source.length) throw this.#error(this.#open, 'the action is not closed');
      const offset = this.at;
      if (this.#closes(spaced)) {
        tokens.push({ kind: 'end', text: '}}', offset, spaced });
        return tokens;
      }
      tokens.push(this.#token(spaced));
    }
  }

  #skipSpace(): boolean {
    return this.#match(space) !== undefined;
  }

  #closes(spaced: boolean): boolean {
    if (spaced && this.#source.startsWith('-}}', this.at)) {
      this.trimAfter = true;
      this.at += 3;
      return true;
    }
    if (!this.#source.startsWith('}}', this.at)) return false;
    this.at += 2;
    return true;
  }

  #token(spaced: boolean): Token {
    const offset = this.at;
    const make = (kind: TokenKind, text: string, value?: string | number): Token =>
      value === undefined ? { kind, text, offset, spaced } : { kind, text, value, offset, spaced };
    const first = this.#source[offset]!;
    if (first === '"' || first === '`' || first === "'") {
      const quoted = readQuoted(this.#source, offset);
      if ('reason' in quoted) throw this.#error(offset, quoted.reason);
      this.at = quoted.end;
      const kind = typeof quoted.value === 'number' ? 'number' : 'string';
      return make(kind, this.#source.slice(offset, quoted.end), quoted.value);
    }
    const digits = this.#match(number);
    if (digits !== undefined) return make('number', digits, this.#number(digits, offset));
    if (first === '.') {
      this.at += 1;
      const name = this.#match(identifier);
      return name === undefined ? make('dot', '.') : make('field', name);
    }
    if (first === '$') {
      this.at += 1;
      return make('variable', `$${this.#match(identifier) ?? ''}`);
    }
    const word = this.#match(identifier);
    if (word !== undefined) return make('identifier', word);
    const symbol = this.#match(operator);
    if (symbol !== undefined) return make('operator', symbol);
    throw this.#error(offset, `unexpected ${JSON.stringify(first)}`);
  }

  #number(text: string, offset: number): number {
    const negative = text.startsWith('-');
    const digits = text.replace(/^[+-]/, '').replaceAll('_', '');
    // A leading zero means octal to Go.
    const octal = /^0\d+$/.test(digits);
    const value = octal ? Number.parseInt(digits, 8) : Number(digits);
    const followed = this.#match(identifier) !== undefined;
    if (followed || Number.isNaN(value) || (octal && /[89]/.test(digits))) {
      throw this.#error(offset, `bad number ${text}`);
    }
    return negative ? -value : value;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  #error(offset: number, reason: string): Error {
    return templateError('POLICY_TEMPLATE_SYNTAX', this.#source, offset, { reason });
  }
}
