import { closestName } from '../../../agent/policy/closest.ts';
import type { Diagnostics } from './diagnostics.ts';
import { findCycle } from './graph.ts';
import type { Assignment, ModuleDeclaration, ResourceDeclaration, StackModel } from './model.ts';
import type { NamedReference } from './shape.ts';

/** Reports names that refer to nothing, names used twice, and cycles. */
export function checkNames(model: StackModel, diagnostics: Diagnostics): void {
  const checker = new NameChecker(model, diagnostics);
  for (const role of model.roles.values()) checker.modules(role.modules);
  for (const entry of model.entries) checker.assignment(entry);
  for (const common of model.commons.values()) checker.assignment(common);
  for (const environments of model.environments.values()) {
    for (const environment of environments.values()) checker.assignment(environment);
  }
  for (const module of model.modules.values()) checker.module(module);
  if (!checker.moduleCycle()) checker.resourceCycle();
}

class NameChecker {
  readonly #model: StackModel;
  readonly #diagnostics: Diagnostics;

  constructor(model: StackModel, diagnostics: Diagnostics) {
    this.#model = model;
    this.#diagnostics = diagnostics;
  }

  assignment(assignment: Assignment): void {
    for (const { name, node } of assignment.roles) {
      if (this.#model.roles.has(name)) continue;
      const known = this.#model.roles.keys();
      this.#diagnostics.unknown(node, 'PUBLISH_UNKNOWN_REFERENCE', 'role', name, known);
    }
    this.modules(assignment.modules);
    this.modules(assignment.excludeModules);
  }

  modules(references: readonly NamedReference[]): void {
    for (const { name, node } of references) {
      if (this.#model.modules.has(name)) continue;
      const known = this.#model.modules.keys();
      this.#diagnostics.unknown(node, 'PUBLISH_UNKNOWN_REFERENCE', 'module', name, known);
    }
  }

  module(module: ModuleDeclaration): void {
    this.modules(module.dependsOn);
    const seen = new Set<string>();
    for (const resource of module.resources) {
      if (seen.has(resource.name)) {
        const message = `another resource of the module is called "${resource.name}"`;
        this.#diagnostics.report(resource.place, { code: 'PUBLISH_DUPLICATE_NAME', message });
      }
      seen.add(resource.name);
    }
    for (const resource of module.resources) {
      for (const reference of references(resource)) this.#resource(reference, module, seen);
    }
  }

  #resource({ name, node }: NamedReference, module: ModuleDeclaration, own: Set<string>): void {
    if (own.has(name) || this.#model.modules.has(name)) return;
    const slash = name.indexOf('/');
    const other = this.#model.modules.get(name.slice(0, slash));
    if (other?.resources.some((resource) => resource.name === name.slice(slash + 1))) return;
    this.#diagnostics.report(node, {
      code: 'PUBLISH_UNKNOWN_REFERENCE',
      message: `module "${module.name}" has no resource "${name}", and no module is called so`,
      suggestion: closestName(name, [...own, ...this.#model.modules.keys()]),
    });
  }

  moduleCycle(): boolean {
    const graph = new Map<string, string[]>();
    for (const module of this.#model.modules.values()) {
      graph.set(
        module.name,
        module.dependsOn.map((reference) => reference.name),
      );
    }
    const cycle = findCycle(graph);
    if (cycle === undefined) return false;
    const { place } = this.#model.modules.get(cycle[0]!)!;
    const message = `modules depend on each other: ${cycle.join(' -> ')}`;
    this.#diagnostics.report(place, { code: 'PUBLISH_CYCLE', message });
    return true;
  }

  /** "module" stands for all of a module done, "module/" for the module begun. */
  resourceCycle(): void {
    const graph = new Map<string, string[]>();
    for (const module of this.#model.modules.values()) this.#addEdges(module, graph);
    const cycle = findCycle(graph);
    if (cycle === undefined) return;
    const steps = cycle.filter((step) => !step.endsWith('/'));
    const first = steps.find((step) => step.includes('/')) ?? steps[0]!;
    const module = this.#model.modules.get(first.split('/')[0]!)!;
    const inOne = steps.every((step) => step.startsWith(`${module.name}/`));
    const names = inOne ? steps.map((step) => step.slice(module.name.length + 1)) : steps;
    const place = module.resources.find((resource) => `${module.name}/${resource.name}` === first);
    this.#diagnostics.report(place?.place ?? module.place, {
      code: 'PUBLISH_CYCLE',
      message: `resources wait for each other: ${names.join(' -> ')}`,
    });
  }

  #addEdges(module: ModuleDeclaration, graph: Map<string, string[]>): void {
    const own = new Set(module.resources.map((resource) => resource.name));
    const begun = `${module.name}/`;
    const id = (name: string) => (own.has(name) ? begun + name : name);
    const edge = (later: string, earlier: string) => {
      const earlierOnes = graph.get(later);
      if (earlierOnes === undefined) graph.set(later, [earlier]);
      else earlierOnes.push(earlier);
    };
    for (const { name } of module.dependsOn) edge(begun, name);
    for (const resource of module.resources) {
      const self = begun + resource.name;
      edge(module.name, self);
      edge(self, begun);
      for (const { name } of [...resource.dependsOn, ...resource.subscribes]) edge(self, id(name));
      for (const { name } of [...resource.before, ...resource.notify]) {
        // Running before a module is running before it begins; a notified module may run again.
        if (own.has(name) || name.includes('/')) edge(id(name), self);
        else if (!resource.notify.some((reference) => reference.name === name)) {
          edge(`${name}/`, self);
        }
      }
    }
  }
}

function references(resource: ResourceDeclaration): NamedReference[] {
  return [...resource.dependsOn, ...resource.before, ...resource.notify, ...resource.subscribes];
}
