import { parseTemplate, type TemplateData } from '../../agent/policy/template/template.ts';
import type { WhenNode } from '../../agent/policy/when/ast.ts';
import { formatWhen } from '../../agent/policy/when/ast.ts';
import { whenBuiltins } from '../../agent/policy/when/builtins.ts';
import type { WhenEnvironment } from '../../agent/policy/when/environment.ts';
import { parseWhen } from '../../agent/policy/when/when.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import type { Verdict } from './messages.ts';

export type Traits = Readonly<Record<string, PolicyValue>>;

/** What a condition would have to ask the node for. */
class AskTheNode extends Error {}

/**
 * Whether a condition holds on a node of these traits, as far as that can be known without asking the
 * node: by the very builtins that the node uses. A condition that does not parse is for validate to
 * report; here it is "node".
 */
export async function conditionVerdict(
  text: string,
  data: Omit<TemplateData, 'Traits'>,
  traits: Traits | undefined,
): Promise<Verdict> {
  const rendered = renderKnown(text, data, traits);
  if (rendered === undefined) return { state: 'node', why: `when ${text} depends on traits` };
  try {
    const { node } = parseWhen(rendered);
    const { value, decided } = await evaluate(node, environmentOf(traits));
    const why = formatWhen(decided);
    if (value === true) return { state: 'in', why: '' };
    if (value === false) return { state: 'out', why: `${why} does not hold` };
    return { state: 'node', why: `${why} is known on the node only` };
  } catch {
    return { state: 'node', why: `when ${rendered} cannot be read` };
  }
}

/** The text as this node renders it; undefined when that needs traits that are not known. */
export function renderKnown(
  text: string,
  data: Omit<TemplateData, 'Traits'>,
  traits: Traits | undefined,
): string | undefined {
  if (!text.includes('{{')) return text;
  try {
    const template = parseTemplate(text);
    if (traits === undefined) return template.check(data, null).text;
    return template.render({ ...data, Traits: traits });
  } catch {
    return undefined;
  }
}

interface Outcome {
  readonly value: boolean | undefined;
  /** The part that decided, or that is not known. */
  readonly decided: WhenNode;
}

/** Kleene's three values; a term that decides makes unknown ones beside it irrelevant. */
async function evaluate(node: WhenNode, environment: WhenEnvironment): Promise<Outcome> {
  switch (node.kind) {
    case 'call':
      return { value: await call(node, environment), decided: node };
    case 'not': {
      const { value } = await evaluate(node.term, environment);
      return { value: value === undefined ? undefined : !value, decided: node };
    }
    case 'or':
    case 'and': {
      const decisive = node.kind === 'or';
      let unknown: Outcome | undefined;
      for (const term of node.terms) {
        const outcome = await evaluate(term, environment);
        if (outcome.value === decisive) return outcome;
        if (outcome.value === undefined) unknown ??= outcome;
      }
      return unknown ?? { value: !decisive, decided: node };
    }
  }
}

async function call(
  node: WhenNode & { kind: 'call' },
  environment: WhenEnvironment,
): Promise<boolean | undefined> {
  try {
    return await whenBuiltins.get(node.name)?.evaluate(environment, node.args);
  } catch (error) {
    if (error instanceof AskTheNode) return undefined;
    throw error;
  }
}

function environmentOf(traits: Traits | undefined): WhenEnvironment {
  const ask = (): never => {
    throw new AskTheNode();
  };
  return {
    trait: (path) => (traits === undefined ? ask() : traitAt(traits, path)),
    get triggered() {
      return ask();
    },
    localTime: ask,
    fileExists: ask,
    directoryExists: ask,
    processRunning: ask,
    commandSucceeds: ask,
  };
}

function traitAt(traits: Traits, path: string): PolicyValue | undefined {
  let value: PolicyValue | undefined = traits as PolicyValue;
  for (const part of path.split('.')) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    const map: Traits = value as Traits;
    value = Object.hasOwn(map, part) ? map[part] : undefined;
  }
  return value;
}
