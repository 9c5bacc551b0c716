import type { BundleResource } from '../../../agent/protocol/bundle.ts';
import type { Place } from './diagnostics.ts';
import type { Instance } from './expand.ts';
import type { Managed } from './managed.ts';
import type { ModuleDeclaration } from './model.ts';
import type { NamedReference } from './shape.ts';

/**
 * A module with its `foreach` expanded for certain values of the variables that it reads. Entries
 * that agree on those share one.
 */
export interface Expansion {
  readonly declaration: ModuleDeclaration;
  readonly instances: readonly Instance[];
  /** Declared name -> names of its instances. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** The module's condition, rendered. */
  readonly when: string | undefined;
  /** Template files that the instances use. */
  readonly templates: Readonly<Record<string, string>>;
  readonly managed: readonly Managed[];
  readonly urls: readonly UrlUse[];
  /** Other modules whose resources are referred to, in a fixed order. */
  readonly foreign: readonly string[];
  /** Resources for a bundle, by what the foreign modules are there. */
  readonly settled: Map<string, readonly BundleResource[]>;
}

export interface UrlUse {
  readonly url: string;
  readonly place: Place;
}

export function instanceNames(instances: readonly Instance[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { declaration, name } of instances) {
    const known = names.get(declaration.name);
    if (known === undefined) names.set(declaration.name, [name]);
    else known.push(name);
  }
  return names;
}

/** Names of other modules that the references of a module may mean. */
export function foreignModules(declaration: ModuleDeclaration): string[] {
  const found = new Set<string>();
  const add = ({ name }: NamedReference) => {
    if (declaration.resourcesByName.has(name)) return;
    const slash = name.indexOf('/');
    found.add(slash === -1 ? name : name.slice(0, slash));
  };
  for (const resource of declaration.resources) {
    for (const references of [
      resource.dependsOn,
      resource.before,
      resource.notify,
      resource.subscribes,
    ]) {
      references.forEach(add);
    }
  }
  return [...found].sort();
}
