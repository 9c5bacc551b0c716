import { isTemplate } from '../../policy/template/template.ts';
import { formatWhen } from '../../policy/when/ast.ts';
import { evaluateKnown } from '../../policy/when/known.ts';
import { parseWhen } from '../../policy/when/when.ts';
import type { BundleModule, BundleResource, PolicyValue } from '../../protocol/bundle.ts';
import type { ConditionFacts } from './document.ts';

type Values = Readonly<Record<string, PolicyValue>>;

/** The conditions that decide about a resource, with what is known without running anything. */
export async function conditionFacts(
  module: BundleModule,
  resource: BundleResource,
  traits: Values,
): Promise<ConditionFacts[]> {
  const vars = await moduleVariables(module, traits);
  const facts: ConditionFacts[] = [];
  for (const [of, when] of [
    ['module', module.when],
    ['resource', resource.when],
  ] as const)
    if (when !== undefined && when.trim() !== '') facts.push(await factsOf(of, when, traits, vars));
  return facts;
}

/** Conditional variables included, where what is known decides about them. */
export async function moduleVariables(module: BundleModule, traits: Values): Promise<Values> {
  const layers: Values[] = [module.vars];
  for (const { when, vars } of module.conditionalVars ?? []) {
    const { holds } = await factsOf('module', when, traits, module.vars);
    if (holds === true) layers.push(vars);
  }
  return Object.assign({}, ...layers) as Values;
}

async function factsOf(
  of: ConditionFacts['of'],
  when: string,
  traits: Values,
  vars: Values,
): Promise<ConditionFacts> {
  if (isTemplate(when)) return { of, when };
  try {
    const { value, decided } = await evaluateKnown(parseWhen(when).node, { traits, vars });
    const told = { of, when, decided: formatWhen(decided) };
    return value === undefined ? told : { ...told, holds: value };
  } catch (error) {
    return { of, when, problem: error instanceof Error ? error.message : String(error) };
  }
}
