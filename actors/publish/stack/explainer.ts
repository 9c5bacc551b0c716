import type { CompiledEntry } from './compile.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Instance } from './expand.ts';
import type {
  ConditionExplanation,
  EntryExplanation,
  ExcludedModule,
  HostExplanation,
  LayerExplanation,
  ModuleExplanation,
  ModuleReason,
  PatternMatch,
  ResourceExplanation,
  SourcePlace,
  StackOverview,
} from './explain.ts';
import { explainVariables } from './explain-variables.ts';
import { patternMatcher } from './match.ts';
import type { Assignment, StackModel } from './model.ts';
import { type StackNode, scalarText } from './node.ts';
import type { Layers, Listing, ResolvedModule, Resolver } from './resolve.ts';

/** Answers where everything of a compiled stack comes from; works only when asked. */
export class Explainer {
  readonly #model: StackModel;
  readonly #resolver: Resolver;
  readonly #entries: readonly CompiledEntry[];
  readonly #diagnostics: Diagnostics;

  constructor(
    model: StackModel,
    resolver: Resolver,
    entries: readonly CompiledEntry[],
    diagnostics: Diagnostics,
  ) {
    this.#model = model;
    this.#resolver = resolver;
    this.#entries = entries;
    this.#diagnostics = diagnostics;
  }

  host(hostname: string): HostExplanation {
    const matches = this.#model.entries.flatMap(({ match }, entry): PatternMatch[] => {
      const found = match.find(({ name }) => patternMatcher([name])(hostname));
      if (found === undefined) return [];
      return [{ entry, pattern: found.name, place: this.#place(found.node) }];
    });
    const [matched, ...shadowed] = matches;
    if (matched === undefined) return { hostname, shadowed };
    const entry = this.entry(matched.entry);
    return { hostname, matched, shadowed, ...(entry === undefined ? {} : { entry }) };
  }

  entry(index: number): EntryExplanation | undefined {
    const entry = this.#model.entries[index];
    const compiled = this.#entries[index];
    if (entry === undefined || compiled === undefined) return undefined;
    const { layers, modules } = this.#resolver.resolve(entry);
    const listings = this.#resolver.listings(layers);
    return {
      index,
      place: this.#place(entry.place),
      patterns: entry.match.map(({ name }) => name),
      ...(entry.environment === undefined ? {} : { environment: entry.environment.name }),
      layers: this.#layers(layers),
      modules: modules.map((module, position) => ({
        ...this.#module(module, listings, layers, modules),
        resources: compiled.expansions[position]!.instances.map((instance) =>
          this.#resource(instance),
        ),
      })),
      excluded: this.#excluded(listings, layers),
    };
  }

  overview(): StackOverview {
    const resolved = this.#entries.map(({ expansions }) =>
      expansions.map(({ declaration }) => declaration.name),
    );
    const users = new Map<string, number[]>();
    for (const [index, names] of resolved.entries()) {
      for (const name of names) users.set(name, [...(users.get(name) ?? []), index]);
    }
    return {
      modules: [...this.#model.modules.values()].map((module) => ({
        name: module.name,
        place: this.#place(module.place),
        dependsOn: module.dependsOn.map(({ name }) => name),
        vars: [...module.vars.places].map(([name, place]) => ({
          name,
          value: module.vars.values[name]!,
          place: this.#place(place),
        })),
        resources: module.resources.map(({ name, type, place }) => ({
          name,
          type,
          place: this.#place(place),
        })),
        entries: users.get(module.name) ?? [],
      })),
      roles: [...this.#model.roles.values()].map(({ name, place, modules }) => ({
        name,
        place: this.#place(place),
        modules: modules.map((module) => module.name),
      })),
      entries: this.#model.entries.map((entry, index) => ({
        index,
        place: this.#place(entry.place),
        patterns: entry.match.map(({ name }) => name),
        ...(entry.environment === undefined ? {} : { environment: entry.environment.name }),
        roles: entry.roles.map(({ name }) => name),
        modules: resolved[index] ?? [],
      })),
    };
  }

  #layers({ commons, entry, environments }: Layers): LayerExplanation[] {
    return [
      ...commons.map((layer) => ({ layer: 'common' as const, place: this.#place(layer.place) })),
      { layer: 'entry', place: this.#place(entry.place) },
      ...environments.map((layer) => ({
        layer: 'environment' as const,
        place: this.#place(layer.place),
      })),
    ];
  }

  #module(
    module: ResolvedModule,
    listings: readonly Listing[],
    layers: Layers,
    others: readonly ResolvedModule[],
  ): Omit<ModuleExplanation, 'resources'> {
    const { declaration, dependsOn } = module;
    const { name } = declaration;
    const listed = listings
      .filter((listing) => listing.module.name === name)
      .map((listing) => this.#reason(listing, layers));
    const needed = others.flatMap((other): ModuleReason[] => {
      const reference = other.declaration.dependsOn.find((own) => own.name === name);
      if (reference === undefined || !other.dependsOn.includes(name)) return [];
      const place = this.#place(reference.node);
      return [{ kind: 'dependency', place, neededBy: other.declaration.name }];
    });
    return {
      name,
      place: this.#place(declaration.place),
      reasons: [...listed, ...needed],
      ...this.#when(declaration.when),
      dependsOn,
      vars: explainVariables(module, layers, (place) => this.#diagnostics.sourcePlace(place)),
    };
  }

  #reason({ module, layer, role }: Listing, layers: Layers): ModuleReason {
    return {
      ...kindOf(layer, layers),
      place: this.#place(module.node),
      ...(role === undefined ? {} : { role: { name: role.name, place: this.#place(role.node) } }),
    };
  }

  #excluded(listings: readonly Listing[], layers: Layers): ExcludedModule[] {
    const assignments = [...layers.commons, layers.entry, ...layers.environments];
    const found = new Map<string, ModuleReason[]>();
    for (const layer of assignments) {
      for (const { name, node } of layer.excludeModules) {
        const reason = { ...kindOf(layer, layers), place: this.#place(node) };
        found.set(name, [...(found.get(name) ?? []), reason]);
      }
    }
    return [...found].map(([name, excludedBy]) => ({
      name,
      reasons: listings
        .filter((listing) => listing.module.name === name)
        .map((listing) => this.#reason(listing, layers)),
      excludedBy,
    }));
  }

  #resource({ declaration, name, item }: Instance): ResourceExplanation {
    const { type, place, foreach, variants, parameters } = declaration;
    return {
      name,
      type,
      place: this.#place(place),
      ...this.#when(declaration.when),
      ...(foreach === undefined || item === undefined
        ? {}
        : {
            foreach: {
              ...(foreach.variable === undefined ? {} : { variable: foreach.variable }),
              item,
            },
          }),
      ...(variants === undefined ? {} : { variesOn: variants.on }),
      parameters: [...parameters].map(([parameter, { value, from, key }]) => ({
        name: parameter,
        value,
        from,
        place: this.#place(key),
      })),
    };
  }

  #when(node: StackNode | undefined): { when?: ConditionExplanation } {
    const text = node === undefined ? undefined : scalarText(node);
    if (node === undefined || text === undefined) return {};
    return { when: { text, place: this.#place(node) } };
  }

  #place(place: Parameters<Diagnostics['sourcePlace']>[0]): SourcePlace {
    return this.#diagnostics.sourcePlace(place);
  }
}

function kindOf(layer: Assignment, layers: Layers): Pick<ModuleReason, 'kind' | 'environment'> {
  if (layer === layers.entry) return { kind: 'entry' };
  if (layers.commons.includes(layer)) return { kind: 'common' };
  const name = layers.entry.environment?.name;
  return { kind: 'environment', ...(name === undefined ? {} : { environment: name }) };
}
