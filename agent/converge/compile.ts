import { AgentError } from '../errors.ts';
import type { AnyResourceType, Target } from '../executors/contract.ts';
import type { TypeRegistry } from '../executors/registry.ts';
import { resourceSchemas } from '../policy/resource-schemas/registry.ts';
import { text } from '../policy/resource-schemas/schema.ts';
import { Reads } from '../policy/template/reads.ts';
import { isTemplate, parseTemplate, type TemplateData } from '../policy/template/template.ts';
import { parseWhen, type When } from '../policy/when/when.ts';
import type { BundleDocument, BundleResource, PolicyValue } from '../protocol/bundle.ts';
import type { SecretValues } from '../secrets/secret-values.ts';
import { GuardedTargets } from './guarded-targets.ts';
import { compileModuleVars, type ModuleVars } from './module-vars.ts';
import { buildPlan, type PlanNode } from './plan.ts';
import { compileWithSecrets } from './secret-resources.ts';

export type Traits = Readonly<Record<string, PolicyValue>>;
type Parameters = Readonly<Record<string, PolicyValue>>;

/** What a resource is to be, with its templates rendered. */
export interface Rendered {
  readonly spec: unknown;
  readonly targets: readonly Target[];
  /** Those and what the type's table names, which may be more: for the guardrails. */
  readonly guarded: GuardedTargets;
}

/** One resource made ready once per document. Whatever is wrong with it is thrown when it is used. */
export interface CompiledResource {
  readonly node: PlanNode;
  readonly type: AnyResourceType;
  /** Acts on every call, so it is held back until one of its sources triggers it. */
  readonly oneShot: boolean;
  /** The variables of its module; shared by the resources of the module. */
  readonly vars: ModuleVars;
  /** @throws {AgentError} POLICY_WHEN_* */
  moduleWhen(): When | undefined;
  /** @throws {AgentError} POLICY_WHEN_* */
  when(data: TemplateData): When | undefined;
  /** Secrets that its parameters can hold; its content is not shown when there are any. */
  readonly secretPaths: ReadonlySet<string>;
  /**
   * The same object again as long as the traits and variables that its templates read hold the same
   * values, and the secrets are the same object. Throws
   * AgentError, AGENT_SECRETS_UNAVAILABLE among others.
   */
  render(data: TemplateData, secrets: SecretValues): Rendered;
}

export interface CompiledDocument {
  readonly resources: readonly CompiledResource[];
}

/**
 * Parses everything of a bundle that does not depend on the node's state. `nonce`: see SecretMarks.
 */
export function compileDocument(
  document: BundleDocument,
  types: TypeRegistry,
  nonce: string,
): CompiledDocument {
  const moduleWhens = new Map(
    document.modules.map((module) => [module.name, lazyWhen(module.when)] as const),
  );
  const vars = new Map(
    document.modules.map((module) => [module.name, compileModuleVars(module)] as const),
  );
  const templates = new Map(
    Object.entries(document.templates).map(([name, text]) => [name, compileText(text)] as const),
  );
  const resources = buildPlan(document).nodes.map((node): CompiledResource => {
    const type = types.get(node.resource.type) ?? unknownType(node.resource.type);
    return {
      node,
      type,
      oneShot: isOneShot(node),
      vars: vars.get(node.module.name)!,
      moduleWhen: moduleWhens.get(node.module.name)!,
      when: compileWhen(node.resource.when),
      ...compileWithSecrets(
        { node, type, texts: document.templates, nonce },
        { templates, compileText, compileResource },
      ),
    };
  });
  return { resources };
}

function isOneShot(node: PlanNode): boolean {
  const { type, parameters } = node.resource;
  const states = resourceSchemas.get(type)?.oneShotStates ?? [];
  return node.triggeredBy.length > 0 && states.includes(text(parameters, 'state') ?? '');
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function lazyWhen(text: string | undefined): () => When | undefined {
  return once(() => (text === undefined || text.trim() === '' ? undefined : parseWhen(text)));
}

/** A condition can hold templates; such a one is parsed anew when what they read has changed. */
function compileWhen(text: string | undefined): (data: TemplateData) => When | undefined {
  if (text === undefined || !isTemplate(text)) return lazyWhen(text);
  const render = compileText(text);
  return perReads((data, reads) => lazyWhen(render(data, reads))());
}

/** `reads` is told what the text depends on. */
export type Render = (data: TemplateData, reads?: Reads) => string;
/** The last step before parameters are parsed. */
export type Finish = (rendered: Parameters) => Parameters;

function compileText(text: string): Render {
  if (!isTemplate(text)) return () => text;
  const template = once(() => parseTemplate(text));
  return (data, reads) => template().render(data, reads);
}

/**
 * Makes the value anew only when something that it was made from has changed: a trait that no
 * template of it read costs nothing, one that was read is never served stale.
 */
function perReads<T>(make: (data: TemplateData, reads: Reads) => T): (data: TemplateData) => T {
  let last: { traits: unknown; vars: unknown; reads: Reads; value: T } | undefined;
  return (data) => {
    const { Traits: traits, Vars: vars } = data;
    if (last !== undefined && last.traits === traits && last.vars === vars) return last.value;
    if (last?.reads.holdIn({ ...data }) === true) {
      last = { ...last, traits, vars };
      return last.value;
    }
    const reads = new Reads();
    const value = make(data, reads);
    last = { traits, vars, reads, value };
    return value;
  };
}

/** With `variants`, what the node is decides which parameters win; see BundleResource. */
function compileResource(
  { parameters, variants }: BundleResource,
  type: AnyResourceType,
  templates: ReadonlyMap<string, Render>,
  finish: Finish,
): (data: TemplateData) => Rendered {
  const base = compileParameters(parameters, type, templates, finish);
  if (variants === undefined) return base;
  const select = perReads(compileText(variants.on));
  const renders = new Map(
    Object.entries(variants.match).map(
      ([value, overrides]) =>
        [
          value,
          compileParameters({ ...parameters, ...overrides }, type, templates, finish),
        ] as const,
    ),
  );
  return (data) => (renders.get(select(data)) ?? renders.get('default') ?? base)(data);
}

function compileParameters(
  parameters: Parameters,
  type: AnyResourceType,
  templates: ReadonlyMap<string, Render>,
  finish: Finish,
): (data: TemplateData) => Rendered {
  const renderers = Object.entries(parameters).map(
    ([name, value]) => [name, compileValue(value)] as const,
  );
  const make = (data: TemplateData, reads?: Reads): Rendered => {
    const rendered = Object.fromEntries(
      renderers.map(([name, render]) => [name, render(data, reads)]),
    );
    fillTemplates(rendered, type, (name) => templates.get(name)?.(data, reads));
    const finished = finish(rendered);
    const spec = type.parse(finished);
    const targets = type.targets(spec);
    const declared = resourceSchemas.get(type.name)?.targets(finished) ?? [];
    return { spec, targets, guarded: new GuardedTargets([...targets, ...declared]) };
  };
  const usesData =
    hasTemplate(parameters) || Object.keys(type.templateParameters ?? {}).some(has(parameters));
  if (usesData) return perReads(make);
  let fixed: Rendered | undefined;
  return (data) => {
    fixed ??= make(data);
    return fixed;
  };
}

function has(parameters: Parameters): (name: string) => boolean {
  return (name) => parameters[name] !== undefined;
}

function hasTemplate(value: PolicyValue): boolean {
  if (typeof value === 'string') return isTemplate(value);
  if (value === null || typeof value !== 'object') return false;
  return Object.values(value).some(hasTemplate);
}

function compileValue(value: PolicyValue): (data: TemplateData, reads?: Reads) => PolicyValue {
  if (typeof value === 'string') return compileText(value);
  if (!hasTemplate(value)) return () => value;
  if (Array.isArray(value)) {
    const items = value.map(compileValue);
    return (data, reads) => items.map((render) => render(data, reads));
  }
  const fields = Object.entries(value as Parameters).map(
    ([name, field]) => [name, compileValue(field)] as const,
  );
  return (data, reads) =>
    Object.fromEntries(fields.map(([name, render]) => [name, render(data, reads)]));
}

function fillTemplates(
  rendered: Record<string, PolicyValue>,
  type: AnyResourceType,
  fill: (name: string) => string | undefined,
): void {
  for (const [from, into] of Object.entries(type.templateParameters ?? {})) {
    const name = rendered[from];
    const content = typeof name === 'string' ? fill(name) : undefined;
    if (content === undefined) continue;
    rendered[into] = content;
    delete rendered[from];
  }
}

/** Stands in for a type that this agent lacks, so that the rest of the bundle is enforced. */
function unknownType(name: string): AnyResourceType {
  return {
    name,
    parameters: [],
    confinable: true,
    timeoutMs: 0,
    parse: () => {
      throw new AgentError('AGENT_TYPE_UNKNOWN', { detail: name });
    },
    observe: async () => undefined,
    compare: () => ({ action: 'none', reason: '' }),
    apply: async () => {},
    targets: () => [],
  };
}
