import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import { isTemplate, type TemplateData } from '../../../agent/policy/template/template.ts';
import type { BundleResource, PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ForeachDeclaration, ParameterDeclaration, ResourceDeclaration } from './model.ts';
import { type StackNode, scalarText } from './node.ts';
import type { ResolvedModule } from './resolve.ts';
import type { NamedReference } from './shape.ts';
import type { TemplateChecker } from './template-checker.ts';

/** Resources that one `foreach` may make. */
export const foreachLimit = 1000;

/** One resource of a bundle before its references are settled. */
export interface Instance {
  readonly declaration: ResourceDeclaration;
  readonly name: string;
  readonly item: PolicyValue | undefined;
  readonly data: TemplateData;
}

/** Repeats the resources with `foreach`; with `.Item` in its name, or with the element after it. */
export class Expander {
  readonly #diagnostics: Diagnostics;
  readonly #templates: TemplateChecker;

  constructor(diagnostics: Diagnostics, templates: TemplateChecker) {
    this.#diagnostics = diagnostics;
    this.#templates = templates;
  }

  module(module: ResolvedModule): Instance[] {
    const names = new Map<string, ResourceDeclaration>();
    return module.declaration.resources
      .flatMap((resource) => this.#resource(resource, module))
      .filter((instance) => {
        const other = names.get(instance.name);
        const first = other === undefined;
        if (first) names.set(instance.name, instance.declaration);
        // The same name as declared has been reported.
        if (
          !first &&
          (other === instance.declaration || other.name !== instance.declaration.name)
        ) {
          const message = `two resources of the module become "${instance.name}"`;
          const code = 'PUBLISH_DUPLICATE_NAME';
          this.#diagnostics.report(instance.declaration.place, { code, message });
        }
        return first;
      });
  }

  #resource(declaration: ResourceDeclaration, module: ResolvedModule): Instance[] {
    const base: TemplateData = { Vars: module.vars, Traits: {} };
    if (declaration.foreach === undefined) {
      const name = this.#name(declaration, base);
      return [{ declaration, name: name ?? declaration.name, item: undefined, data: base }];
    }
    const items = this.#items(declaration.foreach, module);
    return items.map((item, index) => {
      const data = { ...base, Item: item, Each: item };
      const rendered = this.#name(declaration, data);
      const suffix = suffixOf(item, index);
      const plain = rendered === undefined || rendered === declaration.name;
      const name = plain ? `${declaration.name} [${suffix}]` : rendered;
      return { declaration, name, item, data };
    });
  }

  #name(declaration: ResourceDeclaration, data: TemplateData): string | undefined {
    if (!isTemplate(declaration.name)) return declaration.name;
    const place = { kind: 'scalar', value: null, source: '', layout: undefined } as const;
    const offset = declaration.place.offset ?? 0;
    const origin = { ...place, file: declaration.place.file, offset };
    const name = this.#templates.tryRender(declaration.name, data, origin, 'in the name');
    return typeof name === 'string' ? name : undefined;
  }

  #items(foreach: ForeachDeclaration, module: ResolvedModule): readonly PolicyValue[] {
    const { node, variable } = foreach;
    const value = foreach.elements ?? this.#variable(variable ?? '', node, module);
    if (value === undefined) return [];
    const elements = elementsOf(value);
    if (elements === undefined) {
      const message = `foreach needs a list or a map, and "${variable}" is none`;
      this.#diagnostics.report(node, { code: 'PUBLISH_BAD_VALUE', message });
      return [];
    }
    if (elements.length <= foreachLimit) return elements;
    const message = `foreach over more than ${foreachLimit} elements`;
    this.#diagnostics.report(node, { code: 'PUBLISH_LIMIT', message });
    return [];
  }

  /** Dots lead into maps: "app.users". */
  #variable(path: string, node: StackNode, module: ResolvedModule): PolicyValue | undefined {
    const [root, ...steps] = Object.hasOwn(module.vars, path) ? [path] : path.split('.');
    const conditional = module.conditionalVars.find(({ vars }) => vars.places.has(root ?? ''));
    if (conditional !== undefined) {
      const message = `foreach cannot depend on a condition, and "${root}" is a conditional variable`;
      this.#diagnostics.report(node, { code: 'PUBLISH_BAD_VALUE', message });
      return undefined;
    }
    let value: PolicyValue = module.vars;
    for (const step of [root ?? '', ...steps]) {
      const map: Readonly<Record<string, PolicyValue>> = isMap(value) ? value : {};
      const next = Object.hasOwn(map, step) ? map[step] : undefined;
      if (next === undefined) {
        const code = 'PUBLISH_MISSING_VARIABLE';
        this.#diagnostics.unknown(node, code, 'variable', path, Object.keys(map));
        return undefined;
      }
      value = next;
    }
    return value;
  }
}

/** What tells the instances apart where the name does not: the value, the key, or the position. */
function suffixOf(item: PolicyValue, index: number): string {
  if (item === null || typeof item !== 'object') return String(item);
  const key = isMap(item) && Object.keys(item).join() === 'key,value' ? item.key : undefined;
  return typeof key === 'string' ? key : String(index);
}

/** Of a map: `{key, value}` for each of its keys, in their order by name. */
function elementsOf(value: PolicyValue): readonly PolicyValue[] | undefined {
  if (Array.isArray(value)) return value as readonly PolicyValue[];
  if (!isMap(value)) return undefined;
  return Object.keys(value)
    .sort()
    .map((key) => ({ key, value: value[key]! }));
}

function isMap(value: PolicyValue): value is Readonly<Record<string, PolicyValue>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Parameters as the bundle carries them; `name` where the type has such a parameter. */
export function bundleParameters(
  declared: ReadonlyMap<string, ParameterDeclaration>,
  name: string,
  type: string,
): Record<string, PolicyValue> {
  const parameters = Object.fromEntries([...declared].map(([key, { value }]) => [key, value]));
  const named = resourceSchemas.get(type)?.parameters.some((spec) => spec.name === 'name');
  return named ? { ...parameters, name } : parameters;
}

/** The declared references as names that are in the bundle: expanded, and only of its modules. */
export function settleReferences(
  references: readonly NamedReference[],
  own: ReadonlyMap<string, readonly string[]>,
  others: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>,
): string[] {
  return references.flatMap(({ name }) => {
    const mine = own.get(name);
    if (mine !== undefined) return mine;
    if (others.has(name)) return [name];
    const slash = name.indexOf('/');
    const module = name.slice(0, slash);
    const there = others.get(module)?.get(name.slice(slash + 1)) ?? [];
    return there.map((resource) => `${module}/${resource}`);
  });
}

export type Settle = (references: readonly NamedReference[]) => string[];

export function bundleResource(instance: Instance, settle: Settle): BundleResource {
  const { declaration, item, name } = instance;
  const { type, variants } = declaration;
  const when = declaration.when === undefined ? undefined : scalarText(declaration.when);
  return {
    name,
    type,
    ...(when === undefined ? {} : { when }),
    dependsOn: settle(declaration.dependsOn),
    before: settle(declaration.before),
    notify: settle(declaration.notify),
    subscribes: settle(declaration.subscribes),
    parameters: bundleParameters(declaration.parameters, name, type),
    ...(item === undefined ? {} : { item }),
    ...(variants === undefined ? {} : { variants: bundleVariants(variants) }),
  };
}

function bundleVariants({
  on,
  match,
}: NonNullable<ResourceDeclaration['variants']>): NonNullable<BundleResource['variants']> {
  const cases = [...match].map(([value, parameters]) => {
    return [value, Object.fromEntries([...parameters].map(([key, p]) => [key, p.value]))] as const;
  });
  return { on, match: Object.fromEntries(cases) };
}
