import { closestName } from '../closest.ts';
import type { BranchNode, Command, Operand, Pipe, TemplateNode } from './ast.ts';
import { templateFunctions } from './functions.ts';
import { lexTemplate } from './lexer.ts';
import { templateError } from './position.ts';
import type { Piece, Token } from './token.ts';

/** Blocks and parentheses that may nest. */
export const templateDepthLimit = 64;

const branches = ['if', 'range', 'with'];
const unsupported = ['define', 'template', 'block'];

export function parseNodes(source: string): TemplateNode[] {
  const parser = new TemplateParser(source, lexTemplate(source));
  return parser.all();
}

/** Parses pieces into blocks; the variables in scope are known, so an undefined one is an error. */
class TemplateParser {
  readonly #source: string;
  readonly #pieces: readonly Piece[];
  readonly #variables: string[] = ['$'];
  #next = 0;
  #ranges = 0;

  constructor(source: string, pieces: readonly Piece[]) {
    this.#source = source;
    this.#pieces = pieces;
  }

  all(): TemplateNode[] {
    const { nodes, stop } = this.#list(0);
    if (stop !== undefined) {
      throw this.#error(stop.offset, `unexpected {{ ${stop.peek().text} }}`);
    }
    return nodes;
  }

  /** Nodes up to {{ end }} or {{ else }}, whose reader is returned. */
  #list(depth: number): { nodes: TemplateNode[]; stop: ActionParser | undefined } {
    const nodes: TemplateNode[] = [];
    while (this.#next < this.#pieces.length) {
      const piece = this.#pieces[this.#next]!;
      this.#next += 1;
      if (piece.kind === 'text') {
        nodes.push(piece);
        continue;
      }
      const action = new ActionParser(this.#source, piece, this.#variables);
      if (action.is('end') || action.is('else')) return { nodes, stop: action };
      nodes.push(this.#action(action, depth));
    }
    return { nodes, stop: undefined };
  }

  #action(action: ActionParser, depth: number): TemplateNode {
    const word = action.peek().kind === 'identifier' ? action.peek().text : '';
    if (branches.includes(word)) {
      action.advance();
      return this.#branch(word as BranchNode['kind'], action, depth + 1);
    }
    if (unsupported.includes(word)) {
      throw this.#error(action.offset, `{{ ${word} }} is not supported`);
    }
    if (word === 'break' || word === 'continue') {
      action.advance();
      action.expectEnd();
      if (this.#ranges === 0) {
        throw this.#error(action.offset, `{{ ${word} }} outside {{ range }}`);
      }
      return { kind: word };
    }
    return { kind: 'action', pipe: action.wholePipe(0) };
  }

  #branch(kind: BranchNode['kind'], action: ActionParser, depth: number): BranchNode {
    if (depth > templateDepthLimit) {
      const reason = `more than ${templateDepthLimit} levels`;
      throw templateError('POLICY_TEMPLATE_LIMIT', this.#source, action.offset, { reason });
    }
    const scope = this.#variables.length;
    const pipe = action.wholePipe(kind === 'range' ? 2 : 1, true);
    if (kind === 'range') this.#ranges += 1;
    const body = this.#list(depth);
    if (kind === 'range') this.#ranges -= 1;
    let otherwise: TemplateNode[] = [];
    let stop = body.stop;
    if (stop?.is('else')) {
      stop.advance();
      if (kind === 'if' && stop.is('if')) {
        stop.advance();
        otherwise = [this.#branch('if', stop, depth + 1)];
        this.#variables.length = scope;
        return { kind, pipe, body: body.nodes, otherwise, offset: action.offset };
      }
      stop.expectEnd();
      const rest = this.#list(depth);
      otherwise = rest.nodes;
      stop = rest.stop;
    }
    if (stop === undefined) throw this.#error(action.offset, `{{ ${kind} }} without {{ end }}`);
    if (!stop.is('end')) throw this.#error(stop.offset, 'expected {{ end }}');
    stop.advance();
    stop.expectEnd();
    this.#variables.length = scope;
    return { kind, pipe, body: body.nodes, otherwise, offset: action.offset };
  }

  #error(offset: number, reason: string): Error {
    return templateError('POLICY_TEMPLATE_SYNTAX', this.#source, offset, { reason });
  }
}

/** Reads the tokens of one action. */
class ActionParser {
  readonly offset: number;
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #variables: string[];
  #next = 0;

  constructor(source: string, piece: Piece & { kind: 'action' }, variables: string[]) {
    this.#source = source;
    this.#tokens = piece.tokens;
    this.#variables = variables;
    this.offset = piece.offset;
  }

  peek(): Token {
    return this.#tokens[this.#next]!;
  }

  advance(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#next += 1;
    return token;
  }

  is(word: string): boolean {
    return this.peek().kind === 'identifier' && this.peek().text === word;
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') throw this.#unexpected(this.peek());
  }

  /** A pipeline that fills the action. `most` is how many variables it may declare inside a block. */
  wholePipe(most: number, block = false): Pipe {
    const { variables, assigns } = this.#declaration(block ? most : 1);
    const pipe = this.#commands(0);
    this.expectEnd();
    if (!assigns) this.#variables.push(...variables);
    return { variables, assigns, ...pipe };
  }

  #declaration(most: number): { variables: string[]; assigns: boolean } {
    const start = this.#next;
    const variables: string[] = [];
    while (this.peek().kind === 'variable' && variables.length < most) {
      variables.push(this.advance().text);
      const next = this.peek();
      if (next.kind === 'operator' && (next.text === ':=' || next.text === '=')) {
        const assigns = next.text === '=';
        if (assigns) for (const name of variables) this.#expectDefined(name, this.offset);
        this.advance();
        return { variables, assigns };
      }
      if (next.kind !== 'operator' || next.text !== ',') break;
      this.advance();
    }
    this.#next = start;
    return { variables: [], assigns: false };
  }

  #commands(depth: number): { commands: Command[]; offset: number } {
    const offset = this.peek().offset;
    const commands = [this.#command(depth, false)];
    while (this.peek().kind === 'operator' && this.peek().text === '|') {
      this.advance();
      commands.push(this.#command(depth, true));
    }
    return { commands, offset };
  }

  #command(depth: number, piped: boolean): Command {
    const offset = this.peek().offset;
    const operands: Operand[] = [];
    while (!this.#commandEnds()) {
      if (operands.length > 0 && !this.peek().spaced) throw this.#unexpected(this.peek());
      operands.push(this.#operand(depth));
    }
    const first = operands[0];
    if (first === undefined) throw this.#error(offset, 'a value is missing');
    const given = operands.length - 1 + (piped ? 1 : 0);
    if (first.kind === 'function') this.#checkArity(first, given);
    else if (given > 0) throw this.#error(first.offset, 'only a function takes arguments');
    if (first.kind === 'nil') throw this.#error(offset, 'nil is not a command');
    return { operands, offset };
  }

  #commandEnds(): boolean {
    const token = this.peek();
    if (token.kind === 'end') return true;
    return token.kind === 'operator' && (token.text === '|' || token.text === ')');
  }

  #operand(depth: number): Operand {
    const token = this.advance();
    const { offset } = token;
    switch (token.kind) {
      case 'dot':
        return { kind: 'dot', offset };
      case 'field':
        return { kind: 'field', path: [token.text, ...this.#fields()], offset };
      case 'variable':
        this.#expectDefined(token.text, offset);
        return { kind: 'variable', name: token.text, path: this.#fields(), offset };
      case 'number':
      case 'string':
        return { kind: 'literal', value: token.value!, offset };
      case 'identifier':
        return this.#word(token);
      case 'operator':
        if (token.text === '(') return this.#parenthesis(token, depth + 1);
    }
    throw this.#unexpected(token);
  }

  #word({ text, offset }: Token): Operand {
    if (text === 'true' || text === 'false') {
      return { kind: 'literal', value: text === 'true', offset };
    }
    if (text === 'nil') return { kind: 'nil', offset };
    if (!templateFunctions.has(text)) {
      const suggestion = closestName(text, templateFunctions.keys());
      const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
      throw templateError('POLICY_TEMPLATE_SYNTAX', this.#source, offset, {
        reason: `unknown function ${text}${hint}`,
        ...(suggestion === undefined ? {} : { suggestion }),
      });
    }
    return { kind: 'function', name: text, offset };
  }

  #parenthesis({ offset }: Token, depth: number): Operand {
    if (depth > templateDepthLimit) {
      const reason = `more than ${templateDepthLimit} parentheses`;
      throw templateError('POLICY_TEMPLATE_LIMIT', this.#source, offset, { reason });
    }
    const pipe = { variables: [], assigns: false, ...this.#commands(depth) };
    const close = this.advance();
    if (close.text !== ')') throw this.#error(offset, 'the parenthesis is not closed');
    return { kind: 'pipe', pipe, path: this.#fields(), offset };
  }

  #fields(): string[] {
    const path: string[] = [];
    while (this.peek().kind === 'field' && !this.peek().spaced) path.push(this.advance().text);
    return path;
  }

  #checkArity(operand: Operand & { kind: 'function' }, given: number): void {
    const { least, most } = templateFunctions.get(operand.name)!;
    if (given >= least && given <= most) return;
    const wanted =
      least === most ? `${least}` : `${least}${most === Infinity ? ' or more' : ` to ${most}`}`;
    throw this.#error(operand.offset, `${operand.name} takes ${wanted} arguments, got ${given}`);
  }

  #expectDefined(name: string, offset: number): void {
    if (!this.#variables.includes(name)) throw this.#error(offset, `undefined variable ${name}`);
  }

  #unexpected(token: Token): Error {
    return this.#error(token.offset, `unexpected ${JSON.stringify(token.text)}`);
  }

  #error(offset: number, reason: string): Error {
    return templateError('POLICY_TEMPLATE_SYNTAX', this.#source, offset, { reason });
  }
}
