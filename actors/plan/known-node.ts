import { resourceSchemas } from '../../agent/policy/resource-schemas/registry.ts';
import {
  isTemplate,
  parseTemplate,
  type TemplateData,
} from '../../agent/policy/template/template.ts';
import { evaluateKnown } from '../../agent/policy/when/known.ts';
import { parseWhen } from '../../agent/policy/when/when.ts';
import type {
  BundleDocument,
  BundleModule,
  BundleResource,
  PolicyValue,
} from '../../agent/protocol/bundle.ts';

export type Traits = Readonly<Record<string, PolicyValue>>;
type Parameters = Readonly<Record<string, PolicyValue>>;

/** Three answers, because some are only on the node. */
export type Verdict = 'holds' | 'fails' | 'unknown';

/** What the server can say of one resource on one node, without asking it. */
export interface KnownResource {
  readonly verdict: Verdict;
  /** The condition that fails or is not known; "" = none. */
  readonly condition: string;
  /** Acts only when another resource triggers it. */
  readonly waits: boolean;
  /** Undefined when a template needs what only the node has. */
  readonly parameters: Parameters | undefined;
}

/** Thrown by what only the node can answer. */
class OnlyTheNodeKnows extends Error {}

/** Renders templates and asks conditions with the traits of a node; undefined traits: none are known. */
export async function knownResource(
  document: BundleDocument,
  module: BundleModule,
  resource: BundleResource,
  traits: Traits | undefined,
): Promise<KnownResource> {
  const { item } = resource;
  const vars = await knownVars(module, traits);
  if (vars === undefined) return onlyTheNode(isOneShot(resource));
  const data: TemplateData = {
    Vars: vars,
    Traits: traits ?? {},
    ...(item === undefined ? {} : { Item: item, Each: item }),
  };
  const conditions = [module.when, resource.when];
  let verdict: Verdict = 'holds';
  let condition = '';
  let waits = isOneShot(resource);
  for (const text of conditions) {
    const answer = await ask(text, data, traits);
    if (answer.waits) waits = true;
    if (answer.verdict === 'holds' || verdict === 'fails') continue;
    verdict = answer.verdict;
    condition = text ?? '';
  }
  return { verdict, condition, waits, parameters: render(document, resource, data, traits) };
}

function onlyTheNode(waits: boolean): KnownResource {
  const condition = 'a variable depends on a condition';
  return { verdict: 'unknown', condition, waits, parameters: undefined };
}

/** Undefined when a variable depends on what only the node has. */
async function knownVars(
  { vars, conditionalVars }: BundleModule,
  traits: Traits | undefined,
): Promise<Parameters | undefined> {
  const holding: Parameters[] = [];
  for (const { when, vars: own } of conditionalVars ?? []) {
    const known = { traits, triggered: false };
    const { value } = await evaluateKnown(parseWhen(when).node, known);
    if (value === undefined) return undefined;
    if (value) holding.push(own);
  }
  return Object.assign({}, vars, ...holding) as Parameters;
}

function isOneShot({ type, parameters }: BundleResource): boolean {
  const states = resourceSchemas.get(type)?.oneShotStates ?? [];
  return typeof parameters.state === 'string' && states.includes(parameters.state);
}

async function ask(
  text: string | undefined,
  data: TemplateData,
  traits: Traits | undefined,
): Promise<{ verdict: Verdict; waits: boolean }> {
  if (text === undefined || text.trim() === '') return { verdict: 'holds', waits: false };
  let waits = false;
  try {
    if (isTemplate(text) && traits === undefined) return { verdict: 'unknown', waits };
    const when = parseWhen(isTemplate(text) ? parseTemplate(text).render(data) : text);
    waits = when.needsTrigger;
    // Whether it is triggered is settled by who triggers it, so that `changed` holds here.
    const known = { traits, vars: data.Vars, triggered: true };
    const { value } = await evaluateKnown(when.node, known);
    return { verdict: value === undefined ? 'unknown' : value ? 'holds' : 'fails', waits };
  } catch {
    return { verdict: 'unknown', waits };
  }
}

function render(
  document: BundleDocument,
  resource: BundleResource,
  data: TemplateData,
  traits: Traits | undefined,
): Parameters | undefined {
  const { parameters, variants } = resource;
  try {
    let declared = parameters;
    if (variants !== undefined) {
      const value = text(variants.on, data, traits);
      const { match } = variants;
      declared = { ...parameters, ...(own(match, value) ?? own(match, 'default')) };
    }
    return Object.fromEntries(
      Object.entries(declared).map(([name, value]) => {
        const rendered = renderValue(value, data, traits);
        const file = name === 'source' ? document.templates[String(rendered)] : undefined;
        return [name, file === undefined ? rendered : text(file, data, traits)];
      }),
    );
  } catch {
    return undefined;
  }
}

function own<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function renderValue(
  value: PolicyValue,
  data: TemplateData,
  traits: Traits | undefined,
): PolicyValue {
  if (typeof value === 'string') return text(value, data, traits);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((each) => renderValue(each, data, traits));
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, renderValue(each, data, traits)]),
  );
}

function text(value: string, data: TemplateData, traits: Traits | undefined): string {
  if (!isTemplate(value)) return value;
  if (traits === undefined && value.includes('.Traits')) throw new OnlyTheNodeKnows();
  return parseTemplate(value).render(data);
}
