import { isTemplate, parseTemplate } from '../../policy/template/template.ts';
import type { WhenNode, WhenOperand } from '../../policy/when/ast.ts';
import { valueAt } from '../../policy/when/known.ts';
import { parseWhen } from '../../policy/when/when.ts';
import type {
  BundleDocument,
  BundleModule,
  BundleResource,
  PolicyValue,
} from '../../protocol/bundle.ts';
import { moduleVariables } from './conditions.ts';

type Values = Readonly<Record<string, PolicyValue>>;

interface Reads {
  readonly vars: Set<string>;
  readonly traits: Set<string>;
}

/** Variables and traits that the texts and conditions of a resource read, with their values. */
export async function readVariables(
  document: BundleDocument,
  module: BundleModule,
  resource: BundleResource,
  traits: Values,
): Promise<{ readonly vars: Values; readonly traits: Values }> {
  const reads: Reads = { vars: new Set(), traits: new Set() };
  const texts = textsOf([resource.parameters, resource.variants ?? null]);
  for (const text of texts) {
    fromTemplate(text, reads);
    // A parameter such as `source` names a template file of the bundle.
    const file = Object.hasOwn(document.templates, text) ? document.templates[text] : undefined;
    if (file !== undefined) fromTemplate(file, reads);
  }
  const conditions = [module.when, resource.when];
  for (const { when } of module.conditionalVars ?? []) conditions.push(when);
  for (const when of conditions) if (when !== undefined) fromCondition(when, reads);
  const vars = await moduleVariables(module, traits);
  return { vars: valuesAt(vars, reads.vars), traits: valuesAt(traits, reads.traits) };
}

function valuesAt(values: Values, paths: ReadonlySet<string>): Values {
  const found = [...paths].sort().map((path) => [path, valueAt(values, path) ?? null] as const);
  return Object.fromEntries(found);
}

function textsOf(values: readonly (PolicyValue | undefined)[]): string[] {
  return values.flatMap((value) => {
    if (typeof value === 'string') return [value];
    if (value === null || typeof value !== 'object') return [];
    return textsOf(Object.values(value));
  });
}

/** What cannot be parsed fails in the pass, which tells it. */
function fromTemplate(text: string, reads: Reads): void {
  if (!isTemplate(text)) return;
  try {
    for (const { root, path } of parseTemplate(text).references()) {
      if (root === 'Vars' && path.length > 0) reads.vars.add(path.join('.'));
      if (root === 'Traits' && path.length > 0) reads.traits.add(path.join('.'));
    }
  } catch {
    return;
  }
}

function fromCondition(when: string, reads: Reads): void {
  fromTemplate(when, reads);
  if (isTemplate(when)) return;
  try {
    visit(parseWhen(when).node, reads);
  } catch {
    return;
  }
}

function visit(node: WhenNode, reads: Reads): void {
  switch (node.kind) {
    case 'or':
    case 'and':
      for (const term of node.terms) visit(term, reads);
      return;
    case 'not':
      visit(node.term, reads);
      return;
    case 'compare':
      for (const operand of [node.left, node.right]) visitOperand(operand, reads);
      return;
    case 'call':
      if (node.name === 'trait' && node.args[0] !== undefined) reads.traits.add(node.args[0]);
  }
}

function visitOperand(operand: WhenOperand, reads: Reads): void {
  if (operand.kind === 'path') reads[operand.root].add(operand.path.join('.'));
}
