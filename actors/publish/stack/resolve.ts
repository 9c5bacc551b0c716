import { topological } from './graph.ts';
import { lineage } from './load.ts';
import type {
  Assignment,
  ConditionalVars,
  EntryDeclaration,
  ModuleDeclaration,
  StackModel,
  Vars,
} from './model.ts';
import type { NamedReference } from './shape.ts';

/** What one entry makes of an envoy. All envoys of an entry resolve alike. */
export interface Resolution {
  readonly entry: EntryDeclaration;
  readonly layers: Layers;
  /** Dependencies first, otherwise in the order of listing. */
  readonly modules: readonly ResolvedModule[];
}

export interface ResolvedModule {
  readonly declaration: ModuleDeclaration;
  readonly vars: Vars;
  /** Weakest first; the last one whose condition holds wins. */
  readonly conditionalVars: readonly ConditionalVars[];
  /** Modules of this resolution that come before it. */
  readonly dependsOn: readonly string[];
}

/** What an entry is made of, weakest first. */
export interface Layers {
  readonly commons: readonly Assignment[];
  readonly entry: EntryDeclaration;
  readonly environments: readonly Assignment[];
}

/** A module that a layer names, directly or by a role. */
export interface Listing {
  readonly module: NamedReference;
  readonly layer: Assignment;
  readonly role?: NamedReference;
}

/** Resolves the entries of one model. */
export class Resolver {
  readonly #model: StackModel;
  readonly #dependencies = new Map<string, readonly string[]>();

  constructor(model: StackModel) {
    this.#model = model;
    for (const module of model.modules.values()) {
      const names = module.dependsOn.map(({ name }) => name);
      this.#dependencies.set(
        module.name,
        names.filter((name) => model.modules.has(name)),
      );
    }
  }

  layers(entry: EntryDeclaration): Layers {
    const directories = lineage(entry.directory);
    const { environments } = this.#model;
    const name = entry.environment?.name;
    return {
      commons: directories.flatMap((directory) => this.#model.commons.get(directory) ?? []),
      entry,
      environments:
        name === undefined
          ? []
          : directories
              .map((directory) => environments.get(directory)?.get(name))
              .filter((assignment) => assignment !== undefined),
    };
  }

  /** Every place of the layers that names a module, in order; roles before modules each time. */
  listings({ commons, entry, environments }: Layers): Listing[] {
    return [...commons, entry, ...environments].flatMap((layer) => [
      ...layer.roles.flatMap((role) =>
        (this.#model.roles.get(role.name)?.modules ?? []).map((module) => ({
          module,
          layer,
          role,
        })),
      ),
      ...layer.modules.map((module) => ({ module, layer })),
    ]);
  }

  /**
   * Modules and variables of an entry. Modules: those of common.vgo (outermost first), of the entry,
   * of its environment, with what they depend on, without the excluded ones. Variables, weakest first:
   * the module's, common.vgo outermost first, the entry's, the module's for the environment, the
   * environment's outermost first, and then conditional ones in the same order.
   */
  resolve(entry: EntryDeclaration): Resolution {
    const layers = this.layers(entry);
    const assignments = [...layers.commons, entry, ...layers.environments];
    const excluded = new Set(
      assignments.flatMap(({ excludeModules }) => excludeModules.map(({ name }) => name)),
    );
    const graph = this.#without(excluded);
    const listed = this.listings(layers)
      .map(({ module }) => module.name)
      .filter((name) => graph.has(name));
    const common = merge(layers.commons);
    const override = merge(layers.environments);
    const environment = entry.environment?.name ?? '';
    const conditional = assignments.flatMap(({ conditionalVars }) => conditionalVars);
    const modules = topological(new Set(listed), graph).map((name): ResolvedModule => {
      const declaration = this.#model.modules.get(name)!;
      const vars = {
        ...declaration.vars.values,
        ...common,
        ...entry.vars.values,
        ...declaration.environmentVars.get(environment)?.values,
        ...override,
      };
      const conditionalVars = [...declaration.conditionalVars, ...conditional];
      return { declaration, vars, conditionalVars, dependsOn: graph.get(name)! };
    });
    return { entry, layers, modules };
  }

  #without(excluded: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
    if (excluded.size === 0) return this.#dependencies;
    const graph = new Map<string, readonly string[]>();
    for (const [name, others] of this.#dependencies) {
      if (excluded.has(name)) continue;
      graph.set(
        name,
        others.filter((other) => !excluded.has(other)),
      );
    }
    return graph;
  }
}

function merge(assignments: readonly Assignment[]): Vars {
  return Object.assign({}, ...assignments.map(({ vars }) => vars.values)) as Vars;
}
