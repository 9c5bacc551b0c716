import { templateError } from './position.ts';
import type { Token, TokenKind } from './token.ts';

/** Longest template, in UTF-16 units. */
export const templateLengthLimit = 1_048_576;

const keywords = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
]);
const alphanumeric = /^[_\p{L}\p{Nd}]$/u;
const word = /[_\p{L}\p{Nd}]+/uy;
const space = /[ \t\r\n]+/y;
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
const quotedString = /"(?:[^"\\\n]|\\[^\n])*"/y;
const quotedCharacter = /'(?:[^'\\\n]|\\[^\n])*'/y;

/** Cuts a template into tokens as text/template does. Throws POLICY_TEMPLATE_SYNTAX or _LIMIT. */
export function lexTemplate(source: string): Token[] {
  if (source.length > templateLengthLimit) {
    const reason = `more than ${templateLengthLimit} characters`;
    throw templateError('POLICY_TEMPLATE_LIMIT', source, templateLengthLimit, { reason });
  }
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    while (this.#at < this.#source.length) {
      const open = this.#source.indexOf('{{', this.#at);
      if (open === -1) {
        this.#emit('text', this.#source.length);
        break;
      }
      const trims = this.#isLeftTrim(open + 2);
      this.#emit('text', trims ? this.#trimmedEnd(open) : open);
      this.#at = open;
      if (this.#source.startsWith('/*', open + (trims ? 4 : 2))) this.#comment(trims ? 4 : 2);
      else this.#action(open, trims ? 4 : 2);
    }
    this.#tokens.push({ kind: 'end', text: '', offset: this.#source.length });
    return this.#tokens;
  }

  #emit(kind: TokenKind, end: number): void {
    if (end > this.#at) {
      const text = this.#source.slice(this.#at, end);
      this.#tokens.push({ kind, text, offset: this.#at });
    }
    this.#at = Math.max(this.#at, end);
  }

  #isLeftTrim(at: number): boolean {
    return this.#source[at] === '-' && isSpace(this.#source[at + 1]);
  }

  /** By hand: a regular expression anchored at the end is quadratic on long runs of blanks. */
  #trimmedEnd(end: number): number {
    let at = end;
    while (at > this.#at && isSpace(this.#source[at - 1])) at -= 1;
    return at;
  }

  #comment(delimiter: number): void {
    const close = this.#source.indexOf('*/', this.#at + delimiter + 2);
    if (close === -1) throw this.#error(this.#at, 'the comment is not closed');
    this.#at = close + 2;
    if (!this.#closes()) throw this.#error(this.#at, 'a comment must be alone in its action');
    this.#close();
  }

  #closes(): boolean {
    const { length } = '}}';
    const trimmed = isSpace(this.#source[this.#at]) && this.#source[this.#at + 1] === '-';
    return this.#source.startsWith('}}', this.#at + (trimmed ? length : 0));
  }

  /** Passes }} or " -}}"; the latter takes the white space after it. */
  #close(): void {
    const trims = isSpace(this.#source[this.#at]);
    this.#at += trims ? 4 : 2;
    if (trims) this.#at += this.#match(space)?.length ?? 0;
  }

  #action(open: number, delimiter: number): void {
    this.#emit('open', open + 2);
    this.#at = open + delimiter;
    const parentheses: number[] = [];
    while (!this.#closes()) {
      if (this.#at >= this.#source.length) throw this.#error(open, 'the action is not closed');
      const kind = this.#token();
      if (kind === 'left') parentheses.push(this.#at - 1);
      if (kind === 'right' && parentheses.pop() === undefined) {
        throw this.#error(this.#at - 1, 'there is no parenthesis to close');
      }
    }
    const unclosed = parentheses.pop();
    if (unclosed !== undefined) throw this.#error(unclosed, 'the parenthesis is not closed');
    this.#tokens.push({ kind: 'close', text: '}}', offset: this.#at });
    this.#close();
  }

  #token(): TokenKind {
    const first = this.#source[this.#at]!;
    const blank = this.#match(space);
    if (blank !== undefined) return this.#blank(blank.length);
    switch (first) {
      case '=':
        return this.#take('assign', 1);
      case ':':
        if (this.#source[this.#at + 1] !== '=') throw this.#error(this.#at, 'expected :=');
        return this.#take('declare', 2);
      case '|':
        return this.#take('pipe', 1);
      case '(':
        return this.#take('left', 1);
      case ')':
        return this.#take('right', 1);
      case '"':
        return this.#quoted('string', this.#match(quotedString), 'the string is not closed with "');
      case "'":
        return this.#quoted(
          'character',
          this.#match(quotedCharacter),
          "the character is not closed with '",
        );
      case '`':
        return this.#raw();
      case '$':
        return this.#name('variable');
    }
    if (first === '.' && !/^\d$/.test(this.#source[this.#at + 1] ?? '')) return this.#name('field');
    if (/^[-+.\d]$/.test(first)) return this.#number();
    const name = this.#match(word);
    if (name !== undefined) return this.#word(name);
    if (first > ' ' && first < '\x7f') return this.#take('mark', 1);
    const shown = JSON.stringify(String.fromCodePoint(this.#source.codePointAt(this.#at)!));
    throw this.#error(this.#at, `unexpected ${shown}`);
  }

  #take(kind: TokenKind, length: number): TokenKind {
    this.#emit(kind, this.#at + length);
    return kind;
  }

  /** The last blank may belong to a trimming delimiter. */
  #blank(length: number): TokenKind {
    const end = this.#at + length;
    const trims = this.#source.startsWith('-}}', end);
    this.#emit('space', trims ? end - 1 : end);
    return 'space';
  }

  #quoted(kind: TokenKind, text: string | undefined, reason: string): TokenKind {
    if (text === undefined) throw this.#error(this.#at, reason);
    return this.#take(kind, text.length);
  }

  #raw(): TokenKind {
    const close = this.#source.indexOf('`', this.#at + 1);
    if (close === -1) throw this.#error(this.#at, 'the raw string is not closed with `');
    this.#emit('string', close + 1);
    return 'string';
  }

  /** `.field`, `$variable`, or the bare sign. */
  #name(kind: 'field' | 'variable'): TokenKind {
    const start = this.#at;
    this.#at += 1;
    const length = this.#isTerminator() ? 0 : (this.#match(word)?.length ?? 0);
    this.#at = start;
    const end = start + 1 + length;
    this.#expectTerminator(end);
    return this.#take(length === 0 && kind === 'field' ? 'dot' : kind, end - start);
  }

  #word(name: string): TokenKind {
    this.#expectTerminator(this.#at + name.length);
    const kind: TokenKind = keywords.has(name)
      ? 'keyword'
      : name === 'true' || name === 'false'
        ? 'bool'
        : name === 'nil'
          ? 'nil'
          : 'identifier';
    return this.#take(kind, name.length);
  }

  #number(): TokenKind {
    const text = this.#match(number) ?? '';
    const next = this.#source.codePointAt(this.#at + text.length);
    const follows = next === undefined ? '' : String.fromCodePoint(next);
    if (alphanumeric.test(follows) || follows === '+' || follows === '-') {
      throw this.#error(this.#at, `bad number ${text}${follows}`);
    }
    return this.#take('number', text.length);
  }

  #expectTerminator(end: number): void {
    const start = this.#at;
    this.#at = end;
    const good = this.#isTerminator();
    this.#at = start;
    if (good) return;
    const character = String.fromCodePoint(this.#source.codePointAt(end)!);
    throw this.#error(end, `unexpected ${JSON.stringify(character)}; a blank is missing`);
  }

  #isTerminator(): boolean {
    const next = this.#source[this.#at];
    if (next === undefined || isSpace(next) || '.,|:)('.includes(next)) return true;
    return this.#source.startsWith('}}', this.#at);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0];
  }

  #error(offset: number, reason: string): Error {
    return templateError('POLICY_TEMPLATE_SYNTAX', this.#source, offset, { reason });
  }
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && ' \t\r\n'.includes(character) && character !== '';
}
