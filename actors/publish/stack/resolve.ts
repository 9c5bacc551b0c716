import picomatch from 'picomatch';
import { topological } from './graph.ts';
import { lineage } from './load.ts';
import type { Assignment, EntryDeclaration, ModuleDeclaration, StackModel, Vars } from './model.ts';

/** What one entry makes of an envoy. All envoys of an entry resolve alike. */
export interface Resolution {
  readonly entry: EntryDeclaration;
  /** Dependencies first, otherwise in the order of listing. */
  readonly modules: readonly ResolvedModule[];
}

export interface ResolvedModule {
  readonly declaration: ModuleDeclaration;
  readonly vars: Vars;
  /** Modules of this resolution that come before it. */
  readonly dependsOn: readonly string[];
}

/**
 * Modules and variables of an entry. Modules: those of common.vgo (outermost first), of the entry,
 * of its environment, roles before modules each time, with what they depend on, without the excluded
 * ones. Variables, weakest first: the module's, common.vgo outermost first, the entry's, the
 * module's for the environment, the environment's outermost first.
 */
export function resolveEntry(model: StackModel, entry: EntryDeclaration): Resolution {
  const directories = lineage(entry.directory);
  const commons = directories.map((directory) => model.commons.get(directory)).filter(isDefined);
  const { environment } = entry;
  const environments = directories
    .map((directory) => model.environments.get(directory)?.get(environment ?? ''))
    .filter(isDefined);
  const assignments = [...commons, entry, ...environments];
  const excluded = new Set(
    assignments.flatMap(({ excludeModules }) => excludeModules.map(({ name }) => name)),
  );
  const graph = new Map<string, string[]>();
  for (const module of model.modules.values()) {
    const names = module.dependsOn.map(({ name }) => name);
    graph.set(
      module.name,
      names.filter((name) => !excluded.has(name) && model.modules.has(name)),
    );
  }
  const listed = assignments
    .flatMap((assignment) => modulesOf(model, assignment))
    .filter((name) => !excluded.has(name) && model.modules.has(name));
  const common = merge(commons);
  const override = merge(environments);
  const modules = topological(listed, graph).map((name): ResolvedModule => {
    const declaration = model.modules.get(name)!;
    const vars = {
      ...declaration.vars,
      ...common,
      ...entry.vars,
      ...declaration.environmentVars.get(environment ?? ''),
      ...override,
    };
    return { declaration, vars, dependsOn: graph.get(name)! };
  });
  return { entry, modules };
}

function modulesOf(model: StackModel, assignment: Assignment): string[] {
  const fromRoles = assignment.roles.flatMap(({ name }) => model.roles.get(name)?.modules ?? []);
  return [...fromRoles, ...assignment.modules].map(({ name }) => name);
}

function merge(assignments: readonly Assignment[]): Vars {
  return Object.assign({}, ...assignments.map(({ vars }) => vars)) as Vars;
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** Index of the first entry whose pattern matches the host name (case does not matter). */
export function entryMatcher(
  entries: readonly EntryDeclaration[],
): (hostname: string) => number | undefined {
  const matchers = entries.map(({ match }) =>
    picomatch(
      match.map(({ name }) => name.toLowerCase()),
      { dot: true, nonegate: true, noextglob: true },
    ),
  );
  return (hostname) => {
    const lower = hostname.toLowerCase();
    const index = matchers.findIndex((matches) => matches(lower));
    return index === -1 ? undefined : index;
  };
}
