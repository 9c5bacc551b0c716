import { formatWhen, type WhenNode } from './ast.ts';
import { whenBuiltins } from './builtins.ts';
import { evaluateCompare } from './compare.ts';
import type { WhenEnvironment } from './environment.ts';
import { parseWhenNode } from './parser.ts';

/** A parsed condition: parse once, evaluate on every pass. */
export interface When {
  readonly node: WhenNode;
  /**
   * Left to right, stopping as soon as the answer is known. Throws AgentError POLICY_WHEN_VARIABLE
   * when a variable that is compared does not exist.
   */
  evaluate(environment: WhenEnvironment): Promise<boolean>;
  /** True when the condition holds only for a triggered resource (`changed`, alone or with &&). */
  readonly needsTrigger: boolean;
  /** It compares variables, so that it can only be evaluated where a module has them. */
  readonly readsVariables: boolean;
  /** Standard form. */
  toString(): string;
}

/** Throws AgentError POLICY_WHEN_SYNTAX, _LIMIT or _COST with the `offset` in its details. */
export function parseWhen(text: string): When {
  const node = parseWhenNode(text);
  return {
    node,
    evaluate: (environment) => evaluate(node, environment),
    needsTrigger: needsTrigger(node),
    readsVariables: readsVariables(node),
    toString: () => formatWhen(node),
  };
}

async function evaluate(node: WhenNode, environment: WhenEnvironment): Promise<boolean> {
  switch (node.kind) {
    case 'call':
      return whenBuiltins.get(node.name)!.evaluate(environment, node.args);
    case 'compare':
      return evaluateCompare(node, environment);
    case 'not':
      return !(await evaluate(node.term, environment));
    case 'or':
    case 'and': {
      const decisive = node.kind === 'or';
      for (const term of node.terms) {
        if ((await evaluate(term, environment)) === decisive) return decisive;
      }
      return !decisive;
    }
  }
}

function needsTrigger(node: WhenNode): boolean {
  switch (node.kind) {
    case 'call':
      return node.name === 'changed';
    case 'not':
    case 'compare':
      return false;
    case 'and':
      return node.terms.some(needsTrigger);
    case 'or':
      return node.terms.every(needsTrigger);
  }
}

function readsVariables(node: WhenNode): boolean {
  switch (node.kind) {
    case 'call':
      return false;
    case 'not':
      return readsVariables(node.term);
    case 'and':
    case 'or':
      return node.terms.some(readsVariables);
    case 'compare':
      return [node.left, node.right].some(
        (operand) => operand.kind === 'path' && operand.root === 'vars',
      );
  }
}
