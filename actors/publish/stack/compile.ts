import { checkTarget, type GuardLayout } from '../../../agent/policy/guardrails.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import { valueProblem } from '../../../agent/policy/resource-schemas/value-problem.ts';
import { isTemplate } from '../../../agent/policy/template/template.ts';
import {
  type BundleDocument,
  type BundleModule,
  bundleFormatVersion,
  type PolicyValue,
} from '../../../agent/protocol/bundle.ts';
import type { Diagnostics } from './diagnostics.ts';
import { bundleResource, Expander, type Instance, settleReferences } from './expand.ts';
import type { ParameterDeclaration, StackModel } from './model.ts';
import { scalarText } from './node.ts';
import type { Pause } from './pause.ts';
import type { Resolution, ResolvedModule } from './resolve.ts';
import { TemplateChecker } from './template-checker.ts';

/** Resources of one envoy, all modules together and expanded. */
export const bundleResourceLimit = 50_000;

/**
 * Makes the bundle of a resolution, and reports what only shows with its variables: missing ones,
 * bad values, and targets that the guardrails refuse.
 */
export class Compiler {
  readonly #model: StackModel;
  readonly #diagnostics: Diagnostics;
  readonly #layout: GuardLayout;
  readonly #templates: TemplateChecker;
  readonly #expander: Expander;

  constructor(model: StackModel, diagnostics: Diagnostics, layout: GuardLayout) {
    this.#model = model;
    this.#diagnostics = diagnostics;
    this.#layout = layout;
    this.#templates = new TemplateChecker(diagnostics);
    this.#expander = new Expander(diagnostics, this.#templates);
  }

  async compile(resolution: Resolution, pause: Pause): Promise<BundleDocument> {
    const where = `for the entry in ${resolution.entry.place.file}`;
    const expanded = resolution.modules.map((module) => ({
      module,
      instances: this.#expander.module(module),
    }));
    const names = new Map(
      expanded.map(({ module, instances }) => [module.declaration.name, instanceNames(instances)]),
    );
    const count = expanded.reduce((sum, { instances }) => sum + instances.length, 0);
    if (count > bundleResourceLimit) {
      const message = `more than ${bundleResourceLimit} resources for one envoy`;
      this.#diagnostics.report(resolution.entry.place, { code: 'PUBLISH_LIMIT', message });
    }
    const templates: Record<string, string> = {};
    const modules: BundleModule[] = [];
    for (const { module, instances } of expanded) {
      const { name } = module.declaration;
      const own = names.get(name)!;
      for (const instance of instances) this.#check(instance, templates, where);
      modules.push({
        name,
        ...this.#moduleWhen(module, where),
        vars: module.vars,
        dependsOn: module.dependsOn,
        resources: instances.map((instance) =>
          bundleResource(instance, (references) => settleReferences(references, own, names)),
        ),
      });
      await pause();
    }
    return { format: bundleFormatVersion, modules, templates };
  }

  /** A module's condition is the same for all of its resources, so it must not need traits. */
  #moduleWhen(module: ResolvedModule, where: string): { when?: string } {
    const node = module.declaration.when;
    const text = node === undefined ? undefined : scalarText(node);
    if (node === undefined || text === undefined) return {};
    const data = { Vars: module.vars, Traits: {} };
    const rendered = this.#templates.tryRender(text, data, node, where);
    if (typeof rendered === 'string') return { when: rendered };
    const message = 'the condition of a module reads traits by functions, not by templates';
    this.#diagnostics.report(node, { code: 'PUBLISH_CONDITION', message });
    return {};
  }

  #check(instance: Instance, templates: Record<string, string>, where: string): void {
    const { declaration, data } = instance;
    if (declaration.when !== undefined) {
      const text = scalarText(declaration.when) ?? '';
      this.#templates.tryRender(text, data, declaration.when, where);
    }
    const { variants } = declaration;
    if (variants !== undefined) {
      this.#templates.tryRender(variants.on, data, variants.node, where);
    }
    const overrides = [...(variants?.match.values() ?? [])];
    for (const override of [new Map<string, ParameterDeclaration>(), ...overrides]) {
      const parameters = new Map([...declaration.parameters, ...override]);
      this.#parameters(instance, parameters, templates, where);
    }
  }

  #parameters(
    instance: Instance,
    parameters: ReadonlyMap<string, ParameterDeclaration>,
    templates: Record<string, string>,
    where: string,
  ): void {
    const { declaration, data, name } = instance;
    const schema = resourceSchemas.get(declaration.type);
    if (schema === undefined) return;
    const known: Record<string, PolicyValue> = {};
    for (const [key, { value, node }] of parameters) {
      const rendered = this.#templates.tryRender(value, data, node, where);
      const spec = schema.parameters.find((parameter) => parameter.name === key);
      if (rendered === undefined || spec === undefined) continue;
      known[key] = rendered;
      const reason = rendered === value ? undefined : valueProblem(spec, rendered);
      if (reason === undefined) continue;
      const message = `${key} ${reason}, but is ${JSON.stringify(rendered)} ${where}`;
      this.#diagnostics.report(node, { code: 'PUBLISH_BAD_VALUE', message });
    }
    const source = parameters.get('source');
    if (source !== undefined) this.#source(source, known.source, instance, templates, where);
    if (schema.parameters.some((spec) => spec.name === 'name')) known.name = name;
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
    { data }: Instance,
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

function instanceNames(instances: readonly Instance[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { declaration, name } of instances) {
    const known = names.get(declaration.name);
    if (known === undefined) names.set(declaration.name, [name]);
    else known.push(name);
  }
  return names;
}

function placeOf(parameters: ReadonlyMap<string, ParameterDeclaration>, value: string) {
  for (const { value: own, node } of parameters.values()) if (own === value) return node;
  return undefined;
}
