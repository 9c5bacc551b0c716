import { AgentError } from '../../errors.ts';
import { closestName } from '../closest.ts';
import type { WhenCall, WhenCompare, WhenNode, WhenOperand, WhenOperator } from './ast.ts';
import { argumentError, whenBuiltins } from './builtins.ts';
import { lexWhen, type WhenToken } from './lexer.ts';

/** Parentheses and negations that may nest. */
export const whenDepthLimit = 32;
/** Sum of the costs of all calls of one condition; bounds its evaluation. */
export const whenCostLimit = 2000;

/**
 * condition = and { "||" and } ; and = unary { "&&" unary } ;
 * unary = "!" unary | "(" condition ")" | operand operator operand
 *       | name [ "(" [ argument { "," argument } ] ")" ] ;
 * operator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" ;
 * operand = "traits." path | "vars." path | string | number | "true" | "false"
 */
export function parseWhenNode(text: string): WhenNode {
  const parser = new Parser(lexWhen(text));
  const node = parser.condition(0);
  parser.expectEnd();
  return node;
}

class Parser {
  readonly #tokens: readonly WhenToken[];
  #next = 0;
  #cost = 0;

  constructor(tokens: readonly WhenToken[]) {
    this.#tokens = tokens;
  }

  condition(depth: number): WhenNode {
    return this.#chain('||', 'or', () => this.#chain('&&', 'and', () => this.#unary(depth)));
  }

  expectEnd(): void {
    const token = this.#peek();
    if (token.kind !== 'end') {
      throw this.#error(token, `expected && or || before ${describe(token)}`);
    }
  }

  #chain(operator: string, kind: 'or' | 'and', operand: () => WhenNode): WhenNode {
    const terms = [operand()];
    while (this.#take(operator)) terms.push(operand());
    if (terms.length === 1) return terms[0]!;
    // (a || b) || c is the same as a || b || c; one form makes trees comparable.
    return { kind, terms: terms.flatMap((term) => (term.kind === kind ? term.terms : [term])) };
  }

  #unary(depth: number): WhenNode {
    const token = this.#peek();
    if (depth > whenDepthLimit) {
      throw new AgentError('POLICY_WHEN_LIMIT', {
        offset: token.offset,
        reason: `more than ${whenDepthLimit} levels`,
      });
    }
    if (this.#take('!')) return { kind: 'not', term: this.#unary(depth + 1) };
    if (this.#take('(')) {
      const inner = this.condition(depth + 1);
      if (!this.#take(')')) throw this.#error(this.#peek(), 'expected )');
      return inner;
    }
    const isOperand = token.kind === 'word' || token.kind === 'string';
    if (isOperand && isOperator(this.#tokens[this.#next + 1])) return this.#compare();
    if (token.kind === 'string') {
      throw this.#error(token, `expected a condition, got ${describe(token)} alone`);
    }
    if (token.kind !== 'word') {
      throw this.#error(token, `expected a condition, got ${describe(token)}`);
    }
    this.#next += 1;
    return this.#call(token);
  }

  #compare(): WhenCompare {
    const { offset } = this.#peek();
    const left = this.#operand();
    const operator = this.#peek().text as WhenOperator;
    this.#next += 1;
    const right = this.#operand();
    if (left.kind === 'literal' && right.kind === 'literal') {
      throw this.#errorAt(offset, 'compare a trait or a variable, such as vars.port');
    }
    if (isOperator(this.#peek())) {
      throw this.#error(this.#peek(), 'one comparison at a time; join them with &&');
    }
    this.#spend(1, offset);
    return { kind: 'compare', operator, left, right, offset };
  }

  #operand(): WhenOperand {
    const token = this.#peek();
    const { offset, text, kind } = token;
    this.#next += 1;
    if (kind === 'string') return { kind: 'literal', value: text, offset };
    if (kind === 'word') {
      if (text === 'true' || text === 'false') {
        return { kind: 'literal', value: text === 'true', offset };
      }
      if (/^-?\d+(\.\d+)?$/.test(text)) return { kind: 'literal', value: Number(text), offset };
      const [root, ...path] = text.split('.');
      const isPath = path.length > 0 && !path.includes('');
      if (isPath && (root === 'traits' || root === 'vars')) {
        return { kind: 'path', root, path, offset };
      }
      const roots: Readonly<Record<string, string>> = { trait: 'traits', var: 'vars' };
      const meant = root!.toLowerCase().replace(/s?$/, '');
      if (isPath && Object.hasOwn(roots, meant)) {
        const suggestion = [roots[meant], ...path].join('.');
        throw this.#error(token, `unknown value ${text}; did you mean ${suggestion}?`, suggestion);
      }
    }
    const wanted = "traits.<path>, vars.<path>, a number, true, false or 'text'";
    throw this.#error(token, `expected ${wanted}, got ${describe(token)}`);
  }

  #call(name: WhenToken): WhenCall {
    const args: WhenToken[] = [];
    if (this.#take('(') && !this.#take(')')) {
      do {
        const argument = this.#peek();
        if (argument.kind !== 'word' && argument.kind !== 'string') {
          throw this.#error(argument, `expected an argument, got ${describe(argument)}`);
        }
        args.push(argument);
        this.#next += 1;
      } while (this.#take(','));
      if (!this.#take(')')) throw this.#error(this.#peek(), 'expected , or )');
    }
    this.#check(name, args);
    const values = args.map((argument) => argument.text);
    return { kind: 'call', name: name.text, args: values, offset: name.offset };
  }

  #check(name: WhenToken, args: readonly WhenToken[]): void {
    const builtin = whenBuiltins.get(name.text);
    if (builtin === undefined) {
      const closest = closestName(name.text, whenBuiltins.keys());
      const hint = closest === undefined ? '' : `; did you mean ${closest}?`;
      throw this.#error(name, `unknown function ${name.text}${hint}`, closest);
    }
    const most = builtin.parameters.length;
    const least = most - (builtin.optional ?? 0);
    if (args.length < least || args.length > most) {
      const wanted = least === most ? `${most}` : `${least} to ${most}`;
      throw this.#error(name, `${name.text} takes ${wanted} arguments, got ${args.length}`);
    }
    for (const [index, argument] of args.entries()) {
      const reason = argumentError(builtin.parameters[index]!, argument.text);
      if (reason !== undefined) throw this.#error(argument, `${name.text}: ${reason}`);
    }
    this.#spend(builtin.cost, name.offset);
  }

  #spend(cost: number, offset: number): void {
    this.#cost += cost;
    if (this.#cost > whenCostLimit) {
      throw new AgentError('POLICY_WHEN_COST', { offset, limit: whenCostLimit });
    }
  }

  #peek(): WhenToken {
    return this.#tokens[this.#next]!;
  }

  #take(operator: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'operator' || token.text !== operator) return false;
    this.#next += 1;
    return true;
  }

  #error(token: WhenToken, reason: string, suggestion?: string): AgentError {
    return this.#errorAt(token.offset, reason, suggestion);
  }

  #errorAt(offset: number, reason: string, suggestion?: string): AgentError {
    return new AgentError('POLICY_WHEN_SYNTAX', {
      offset,
      reason,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

function isOperator(token: WhenToken | undefined): boolean {
  if (token?.kind === 'word') return token.text === 'in';
  return token?.kind === 'operator' && /^(?:[=!<>]=|[<>])$/.test(token.text);
}

function describe(token: WhenToken): string {
  if (token.kind === 'end') return 'the end';
  return token.kind === 'string' ? `'${token.text}'` : token.text;
}
