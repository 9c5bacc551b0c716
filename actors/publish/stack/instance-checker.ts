import { checkTarget, type GuardLayout } from '../../../agent/policy/guardrails.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import type {
  ParameterSpec,
  ResourceSchema,
} from '../../../agent/policy/resource-schemas/schema.ts';
import { valueProblem } from '../../../agent/policy/resource-schemas/value-problem.ts';
import { isTemplate, type TemplateData } from '../../../agent/policy/template/template.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { takesTemplateFile } from './check-context.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Instance } from './expand.ts';
import type { UrlUse } from './expansion.ts';
import { type Managed, managedBy } from './managed.ts';
import type { ParameterDeclaration, StackModel } from './model.ts';
import { scalarText } from './node.ts';
import type { TemplateChecker } from './template-checker.ts';

type Parameters = ReadonlyMap<string, ParameterDeclaration>;

/** What the instances of a module turned out to use. */
export interface Uses {
  readonly templates: Record<string, string>;
  readonly managed: Managed[];
  readonly urls: UrlUse[];
}

/** Checks what only shows with variables: missing ones, bad values, refused targets. */
export class InstanceChecker {
  readonly #model: StackModel;
  readonly #diagnostics: Diagnostics;
  readonly #layout: GuardLayout;
  readonly #templates: TemplateChecker;

  constructor(
    model: StackModel,
    diagnostics: Diagnostics,
    layout: GuardLayout,
    templates: TemplateChecker,
  ) {
    this.#model = model;
    this.#diagnostics = diagnostics;
    this.#layout = layout;
    this.#templates = templates;
  }

  /** `where`: which entry, and under which condition, for messages. */
  check(instance: Instance, moduleWhen: string | undefined, uses: Uses, where: string): void {
    const { declaration, data } = instance;
    const { variants } = declaration;
    if (declaration.when !== undefined) {
      const text = scalarText(declaration.when) ?? '';
      this.#templates.condition(text, data, declaration.when, where);
    }
    if (variants !== undefined) {
      this.#templates.tryRender(variants.on, data, variants.node, where);
    }
    const known = this.#parameters(instance, declaration.parameters, uses, where);
    uses.managed.push(...managedBy(instance, known, moduleWhen));
    for (const override of variants?.match.values() ?? []) {
      this.#parameters(instance, new Map([...declaration.parameters, ...override]), uses, where);
    }
  }

  #parameters(
    instance: Instance,
    parameters: Parameters,
    uses: Uses,
    where: string,
  ): Readonly<Record<string, PolicyValue>> {
    const { declaration, data, name } = instance;
    const schema = resourceSchemas.get(declaration.type);
    if (schema === undefined) return {};
    const known: Record<string, PolicyValue> = {};
    for (const [key, { value, node }] of parameters) {
      const rendered = this.#templates.tryRender(value, data, node, where);
      const spec = schema.parameters.find((parameter) => parameter.name === key);
      if (rendered === undefined || spec === undefined) continue;
      known[key] = rendered;
      const url = isAbsent(parameters) ? undefined : urlOf(declaration.type, spec, rendered);
      if (url !== undefined) uses.urls.push({ url, place: node });
      const reason = rendered === value ? undefined : valueProblem(spec, rendered);
      if (reason === undefined) continue;
      const message = `${key} ${reason}, but is ${JSON.stringify(rendered)} ${where}`;
      this.#diagnostics.report(node, { code: 'PUBLISH_BAD_VALUE', message });
    }
    const source = parameters.get('source');
    if (source !== undefined && takesTemplateFile(declaration.type)) {
      this.#source(source, known.source, data, uses.templates, where);
    }
    if (schema.parameters.some((spec) => spec.name === 'name')) known.name = name;
    this.#guard(schema, known, parameters, instance);
    return known;
  }

  #guard(
    schema: ResourceSchema,
    known: Readonly<Record<string, PolicyValue>>,
    parameters: Parameters,
    { declaration }: Instance,
  ): void {
    for (const target of schema.targets(known)) {
      const refusal = checkTarget(target, this.#layout);
      if (refusal === undefined) continue;
      const message = `not allowed: ${refusal.reason}`;
      const place = placeOf(parameters, target.value) ?? declaration.place;
      this.#diagnostics.report(place, { code: 'PUBLISH_GUARDRAIL', message });
    }
  }

  #source(
    source: ParameterDeclaration,
    path: PolicyValue | undefined,
    data: TemplateData,
    templates: Record<string, string>,
    where: string,
  ): void {
    const text = typeof path === 'string' ? this.#model.templates.get(path) : undefined;
    if (typeof path === 'string' && text !== undefined) {
      templates[path] = text;
      this.#templates.tryRender(text, data, { kind: 'file', file: path }, where);
      return;
    }
    const written = typeof source.value === 'string' ? source.value : '';
    if (!isTemplate(written)) return;
    if (path === undefined && !written.startsWith('/')) {
      const message = 'the name of a template file must not depend on traits; use case';
      this.#diagnostics.report(source.node, { code: 'PUBLISH_TEMPLATE', message });
    } else if (typeof path === 'string' && !path.startsWith('/')) {
      const known = this.#model.templates.keys();
      const code = 'PUBLISH_UNKNOWN_REFERENCE';
      this.#diagnostics.unknown(source.node, code, 'template', path, known);
    }
  }
}

/** The URL that the node would fetch, when the parameter is one. */
function urlOf(type: string, spec: ParameterSpec, value: PolicyValue): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (spec.format === 'url' || /(?:^|_)url$/.test(spec.name)) return value;
  // What git asks first; many servers have nothing at the address itself.
  const isGit = type === 'git' && spec.name === 'repo';
  return isGit ? `${value.replace(/\/$/, '')}/info/refs?service=git-upload-pack` : undefined;
}

/** What is to go away need not be fetched. */
function isAbsent(parameters: Parameters): boolean {
  return parameters.get('state')?.value === 'absent';
}

function placeOf(parameters: Parameters, value: string) {
  for (const { value: own, node } of parameters.values()) if (own === value) return node;
  return undefined;
}
