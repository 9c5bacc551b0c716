import type { PolicyValue } from '../../protocol/bundle.ts';
import type { WhenNode } from './ast.ts';
import { whenBuiltins } from './builtins.ts';
import { evaluateCompare } from './compare.ts';
import type { WhenEnvironment } from './environment.ts';

type Values = Readonly<Record<string, PolicyValue>>;

/** What is known of a node without asking it. */
export interface KnownNode {
  readonly traits?: Values | undefined;
  readonly vars?: Values | undefined;
  /** `changed`; unknown when absent. */
  readonly triggered?: boolean;
}

export interface KnownOutcome {
  /** Undefined: only the node can tell. */
  readonly value: boolean | undefined;
  /** The part that decided, or that is not known. */
  readonly decided: WhenNode;
}

/** Thrown by the environment where only the node knows the answer. */
class OnlyTheNodeKnows extends Error {}

/**
 * Kleene's three values: a term that decides makes unknown ones beside it irrelevant. Throws
 * AgentError POLICY_WHEN_VARIABLE for a variable that does not exist.
 */
export function evaluateKnown(node: WhenNode, known: KnownNode): Promise<KnownOutcome> {
  return evaluate(node, environmentOf(known));
}

async function evaluate(node: WhenNode, environment: WhenEnvironment): Promise<KnownOutcome> {
  switch (node.kind) {
    case 'call':
    case 'compare':
      return { value: await ask(node, environment), decided: node };
    case 'not': {
      const { value } = await evaluate(node.term, environment);
      return { value: value === undefined ? undefined : !value, decided: node };
    }
    case 'or':
    case 'and': {
      const decisive = node.kind === 'or';
      let unknown: KnownOutcome | undefined;
      for (const term of node.terms) {
        const outcome = await evaluate(term, environment);
        if (outcome.value === decisive) return outcome;
        if (outcome.value === undefined) unknown ??= outcome;
      }
      return unknown ?? { value: !decisive, decided: node };
    }
  }
}

async function ask(
  node: WhenNode & { kind: 'call' | 'compare' },
  environment: WhenEnvironment,
): Promise<boolean | undefined> {
  try {
    if (node.kind === 'compare') return evaluateCompare(node, environment);
    return await whenBuiltins.get(node.name)!.evaluate(environment, node.args);
  } catch (error) {
    if (error instanceof OnlyTheNodeKnows) return undefined;
    throw error;
  }
}

function environmentOf({ traits, vars, triggered }: KnownNode): WhenEnvironment {
  const unknown = (): never => {
    throw new OnlyTheNodeKnows();
  };
  return {
    trait: (path) => (traits === undefined ? unknown() : valueAt(traits, path)),
    variable: (path) => (vars === undefined ? unknown() : valueAt(vars, path)),
    get triggered() {
      return triggered ?? unknown();
    },
    localTime: unknown,
    fileExists: async () => unknown(),
    directoryExists: async () => unknown(),
    processRunning: async () => unknown(),
    commandSucceeds: async () => unknown(),
  };
}

/** What is at a dotted path; undefined when nothing is. */
export function valueAt(values: Values, path: string): PolicyValue | undefined {
  let value: PolicyValue | undefined = values;
  for (const part of path.split('.')) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, part) ? (value as Values)[part] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}
