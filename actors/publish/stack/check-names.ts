import type { Diagnostics } from './diagnostics.ts';
import { findCycles } from './graph.ts';
import type { Assignment, ModuleDeclaration, ResourceDeclaration, StackModel } from './model.ts';
import type { NamedReference } from './shape.ts';

/** Reports names that refer to nothing, names used twice, and cycles. */
export function checkNames(model: StackModel, diagnostics: Diagnostics): void {
  const checker = new NameChecker(model, diagnostics);
  for (const role of model.roles.values()) checker.modules(role.modules);
  for (const entry of model.entries) checker.assignment(entry);
  for (const common of [...model.commons.values()].flat()) checker.assignment(common);
  for (const environments of model.environments.values()) {
    for (const environment of environments.values()) checker.assignment(environment);
  }
  for (const module of model.modules.values()) checker.module(module);
  if (!checker.moduleCycles()) checker.resourceCycles();
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
      if (this.#model.roles.has(name) || this.#model.unread.roles) continue;
      const known = this.#model.roles.keys();
      this.#diagnostics.unknown(node, 'PUBLISH_UNKNOWN_REFERENCE', 'role', name, known);
    }
    this.modules(assignment.modules);
    this.modules(assignment.excludeModules);
  }

  modules(references: readonly NamedReference[]): void {
    for (const { name, node } of references) {
      if (this.#model.modules.has(name) || this.#model.unread.modules.has(name)) continue;
      const known = this.#model.modules.keys();
      this.#diagnostics.unknown(node, 'PUBLISH_UNKNOWN_REFERENCE', 'module', name, known);
    }
  }

  module(module: ModuleDeclaration): void {
    this.modules(module.dependsOn);
    for (const resource of module.resources) {
      const first = module.resourcesByName.get(resource.name)!;
      if (first === resource) continue;
      this.#diagnostics.report(resource.place, {
        code: 'PUBLISH_DUPLICATE_NAME',
        message: `another resource of the module is called "${resource.name}"`,
        related: [{ place: first.place, message: 'the first one' }],
      });
    }
    for (const resource of module.resources) {
      for (const reference of references(resource)) this.#resource(reference, module);
    }
  }

  #resource({ name, node }: NamedReference, module: ModuleDeclaration): void {
    const { modules } = this.#model;
    const { unread } = this.#model;
    if (module.resourcesByName.has(name) || modules.has(name)) return;
    const slash = name.indexOf('/');
    if (unread.modules.has(slash === -1 ? name : name.slice(0, slash))) return;
    const other = modules.get(name.slice(0, slash));
    if (other?.resourcesByName.has(name.slice(slash + 1))) return;
    this.#diagnostics.report(node, {
      code: 'PUBLISH_UNKNOWN_REFERENCE',
      message: `module "${module.name}" has no resource "${name}", and no module is called so`,
      suggestion: this.#diagnostics.suggest(name, referable(module, other, modules.keys())),
    });
  }

  /** All of them at once; each is to be untied by itself. */
  moduleCycles(): boolean {
    const graph = new Map<string, string[]>();
    for (const { name, dependsOn } of this.#model.modules.values()) {
      graph.set(
        name,
        dependsOn.map((reference) => reference.name),
      );
    }
    const cycles = findCycles(graph);
    for (const cycle of cycles) {
      const steps = cycle.slice(0, -1).map((name, index) => {
        const module = this.#model.modules.get(name)!;
        const next = cycle[index + 1]!;
        const place = module.dependsOn.find((reference) => reference.name === next)!.node;
        return { place, message: `"${name}" depends on "${next}"` };
      });
      this.#diagnostics.report(this.#model.modules.get(cycle[0]!)!.place, {
        code: 'PUBLISH_CYCLE',
        message: `modules depend on each other: ${cycle.join(' -> ')}`,
        related: steps,
      });
    }
    return cycles.length > 0;
  }

  /** "module" stands for all of a module done, "module/" for the module begun. */
  resourceCycles(): void {
    const graph = new Map<string, string[]>();
    for (const module of this.#model.modules.values()) this.#addEdges(module, graph);
    for (const cycle of findCycles(graph)) this.#resourceCycle(cycle);
  }

  #resourceCycle(cycle: readonly string[]): void {
    const steps = cycle.filter((step) => !step.endsWith('/'));
    // The path may begin with one of the stages that is left out.
    if (steps[0] !== steps.at(-1)) steps.push(steps[0]!);
    const first = steps.find((step) => step.includes('/')) ?? steps[0]!;
    const module = this.#model.modules.get(moduleOf(first))!;
    const inOne = steps.every((step) => step.startsWith(`${module.name}/`));
    const names = inOne ? steps.map((step) => step.slice(module.name.length + 1)) : steps;
    const place = (step: string) => {
      const declared = this.#model.modules.get(moduleOf(step))!;
      const resource = declared.resourcesByName.get(step.slice(declared.name.length + 1));
      return resource?.place ?? declared.place;
    };
    const related = steps
      .slice(0, -1)
      .map((step, index) => ({ place: place(step), message: `waits for ${names[index + 1]}` }));
    this.#diagnostics.report(place(first), {
      code: 'PUBLISH_CYCLE',
      message: `resources wait for each other: ${names.join(' -> ')}`,
      related,
    });
  }

  #addEdges(module: ModuleDeclaration, graph: Map<string, string[]>): void {
    const own = module.resourcesByName;
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

/** Names that a resource of the module may refer to; `other` is the module that it names. */
function* referable(
  module: ModuleDeclaration,
  other: ModuleDeclaration | undefined,
  modules: Iterable<string>,
): Iterable<string> {
  yield* module.resourcesByName.keys();
  yield* modules;
  for (const name of other?.resourcesByName.keys() ?? []) yield `${other?.name}/${name}`;
}

function moduleOf(step: string): string {
  const slash = step.indexOf('/');
  return slash === -1 ? step : step.slice(0, slash);
}
