import { templateError } from './position.ts';
import type { Token } from './token.ts';

/** Blocks and parentheses that may nest. */
export const templateDepthLimit = 64;

/** The tokens of a template, read one after the other. The parsers of all its trees share it. */
export class TokenReader {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(source: string, tokens: readonly Token[]) {
    this.#source = source;
    this.#tokens = tokens;
  }

  peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    this.#next += 1;
    return token;
  }

  peekNonSpace(): Token {
    while (this.peek().kind === 'space') this.#next += 1;
    return this.peek();
  }

  nextNonSpace(): Token {
    const token = this.peekNonSpace();
    this.#next += 1;
    return token;
  }

  backup(): void {
    this.#next -= 1;
  }

  /** Where reading stands, to come back to with `rewind`. */
  mark(): number {
    return this.#next;
  }

  rewind(mark: number): void {
    this.#next = mark;
  }

  isKeyword(word: string): boolean {
    const token = this.peekNonSpace();
    return token.kind === 'keyword' && token.text === word;
  }

  /** The next action is {{ define }}. */
  isDefine(): boolean {
    if (this.peek().kind !== 'open') return false;
    const mark = this.mark();
    this.next();
    const found = this.isKeyword('define');
    this.rewind(mark);
    return found;
  }

  expectClose(): void {
    const token = this.nextNonSpace();
    if (token.kind !== 'close') throw this.unexpected(token);
  }

  checkDepth(depth: number, offset: number): void {
    if (depth > templateDepthLimit)
      throw this.limit(offset, `more than ${templateDepthLimit} levels`);
  }

  unexpected(token: Token): Error {
    const shown = token.kind === 'end' ? 'end of the template' : JSON.stringify(token.text);
    return this.error(token.offset, `unexpected ${shown}`);
  }

  error(offset: number, reason: string, suggestion?: string): Error {
    return templateError('POLICY_TEMPLATE_SYNTAX', this.#source, offset, {
      reason,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  limit(offset: number, reason: string): Error {
    return templateError('POLICY_TEMPLATE_LIMIT', this.#source, offset, { reason });
  }
}
