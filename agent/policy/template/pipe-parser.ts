import { closestName } from '../closest.ts';
import type { Command, Operand, Pipe } from './ast.ts';
import { templateFunctions } from './functions.ts';
import { readNumber } from './number-literal.ts';
import { unquote, unquoteCharacter } from './quoted.ts';
import type { Token, TokenKind } from './token.ts';
import type { TokenReader } from './token-reader.ts';

/** Variables in scope at one place; bounds what looking one up costs. */
const variableLimit = 1000;

const operandKinds: ReadonlySet<TokenKind> = new Set([
  'bool',
  'character',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'string',
  'variable',
  'left',
]);

const valueKinds = ['literal', 'dot', 'nil'];

/** Parses pipelines. `variables` are the names in scope, which declarations extend. */
export class PipeParser {
  readonly #reader: TokenReader;
  readonly #variables: string[];

  constructor(reader: TokenReader, variables: string[]) {
    this.#reader = reader;
    this.#variables = variables;
  }

  /** Up to `close` ("}}" or ")"), which is passed. */
  pipeline(context: string, close: 'close' | 'right', depth = 0): Pipe {
    const { offset } = this.#reader.peekNonSpace();
    const { variables, assigns } = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#reader.nextNonSpace();
      if (token.kind === close) break;
      if (!operandKinds.has(token.kind)) throw this.#reader.unexpected(token);
      this.#reader.backup();
      commands.push(this.#command(depth));
    }
    if (commands.length === 0) throw this.#reader.error(offset, 'a value is missing');
    for (const { operands } of commands.slice(1)) {
      const first = operands[0]!;
      if (!valueKinds.includes(first.kind)) continue;
      throw this.#reader.error(first.offset, 'only a function can stand after |');
    }
    return { variables, assigns, commands, offset };
  }

  #declarations(context: string): { variables: string[]; assigns: boolean } {
    const variables: string[] = [];
    for (;;) {
      const token = this.#reader.peekNonSpace();
      if (token.kind !== 'variable') return { variables, assigns: false };
      const mark = this.#reader.mark();
      this.#reader.next();
      const next = this.#reader.peekNonSpace();
      if (next.kind === 'assign' || next.kind === 'declare') {
        this.#reader.next();
        this.#declare(variables, token);
        return { variables, assigns: next.kind === 'assign' };
      }
      if (next.kind !== 'mark' || next.text !== ',') {
        this.#reader.rewind(mark);
        return { variables, assigns: false };
      }
      this.#reader.next();
      this.#declare(variables, token);
      if (context !== 'range' || variables.length >= 2) {
        throw this.#reader.error(token.offset, `too many variables for ${context}`);
      }
      const after = this.#reader.peekNonSpace();
      if (!['variable', 'close', 'right'].includes(after.kind)) {
        throw this.#reader.error(after.offset, 'range can only declare variables');
      }
    }
  }

  #declare(variables: string[], { text, offset }: Token): void {
    variables.push(text);
    this.#variables.push(text);
    if (this.#variables.length > variableLimit) {
      throw this.#reader.limit(offset, `more than ${variableLimit} variables`);
    }
  }

  #command(depth: number): Command {
    const { offset } = this.#reader.peekNonSpace();
    const operands: Operand[] = [];
    for (;;) {
      this.#reader.peekNonSpace();
      const operand = this.#operand(depth);
      if (operand !== undefined) operands.push(operand);
      const token = this.#reader.next();
      if (token.kind === 'space') continue;
      if (token.kind === 'close' || token.kind === 'right') this.#reader.backup();
      else if (token.kind !== 'pipe') throw this.#reader.unexpected(token);
      break;
    }
    if (operands.length === 0) throw this.#reader.error(offset, 'a value is missing');
    return { operands, offset };
  }

  #operand(depth: number): Operand | undefined {
    const term = this.#term(depth);
    if (term === undefined || this.#reader.peek().kind !== 'field') return term;
    if (term.kind === 'literal' || term.kind === 'nil' || term.kind === 'dot') {
      throw this.#reader.error(this.#reader.peek().offset, 'this value has no fields');
    }
    const path = [...term.path];
    while (this.#reader.peek().kind === 'field') path.push(this.#reader.next().text.slice(1));
    return { ...term, path };
  }

  #term(depth: number): Operand | undefined {
    const token = this.#reader.nextNonSpace();
    const { offset, text } = token;
    switch (token.kind) {
      case 'identifier':
        this.#expectFunction(token);
        return { kind: 'function', name: text, path: [], offset };
      case 'dot':
      case 'nil':
        return { kind: token.kind, offset };
      case 'variable':
        if (!this.#variables.includes(text)) throw this.#undefinedVariable(token);
        return { kind: 'variable', name: text, path: [], offset };
      case 'field':
        return { kind: 'field', path: [text.slice(1)], offset };
      case 'bool':
        return { kind: 'literal', value: text === 'true', offset };
      case 'number':
        return this.#number(token);
      case 'character': {
        const value = unquoteCharacter(text);
        if (value === undefined) throw this.#reader.error(offset, `bad character ${text}`);
        return { kind: 'literal', value, isFloat: false, offset };
      }
      case 'string': {
        const value = unquote(text);
        if (value === undefined) throw this.#reader.error(offset, `bad escape in ${text}`);
        return { kind: 'literal', value, offset };
      }
      case 'left': {
        this.#reader.checkDepth(depth + 1, offset);
        const pipe = this.pipeline('a pipeline in parentheses', 'right', depth + 1);
        return { kind: 'pipe', pipe, path: [], offset };
      }
    }
    this.#reader.backup();
    return undefined;
  }

  #number({ text, offset }: Token): Operand {
    const number = readNumber(text);
    if ('reason' in number) throw this.#reader.error(offset, number.reason);
    return { kind: 'literal', ...number, offset };
  }

  #expectFunction({ text, offset }: Token): void {
    if (templateFunctions.has(text)) return;
    const suggestion = closestName(text, templateFunctions.keys());
    const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
    throw this.#reader.error(offset, `unknown function ${text}${hint}`, suggestion);
  }

  #undefinedVariable({ text, offset }: Token): Error {
    const suggestion = closestName(text, this.#variables);
    return this.#reader.error(offset, `undefined variable ${text}`, suggestion);
  }
}
