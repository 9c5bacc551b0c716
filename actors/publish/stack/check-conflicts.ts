import type { Diagnostics } from './diagnostics.ts';
import { contradiction, type Managed } from './managed.ts';

/** Resources of one thing that are compared with each other; more say nothing new. */
const comparedLimit = 8;

/** One module as an entry has it: what its resources manage. */
export interface ManagedModule {
  readonly name: string;
  readonly managed: readonly Managed[];
}

/**
 * Reports resources of one envoy that want different things of the same file, package, service, ...
 * `entries`: the modules of each entry, the same object where entries share one.
 */
export function checkConflicts(
  entries: readonly (readonly ManagedModule[])[],
  diagnostics: Diagnostics,
): void {
  const contested = contestedThings(new Set(entries.flat()));
  if (contested.size === 0) return;
  // Modules that contest nothing need not be looked at again, entry by entry.
  const relevant = new Map<ManagedModule, Managed[]>();
  for (const modules of entries) {
    const byThing = new Map<string, [Managed, string][]>();
    for (const module of modules) {
      let own = relevant.get(module);
      if (own === undefined) {
        own = module.managed.filter(({ thing }) => contested.has(thing));
        relevant.set(module, own);
      }
      for (const managed of own) compare(managed, module.name, byThing, diagnostics);
    }
  }
}

/** Things that two resources of one module, or two modules, manage. */
function contestedThings(modules: ReadonlySet<ManagedModule>): Set<string> {
  const owner = new Map<string, string>();
  const contested = new Set<string>();
  for (const { name, managed } of modules) {
    const own = new Set<string>();
    for (const { thing } of managed) {
      if (own.has(thing) || (owner.get(thing) ?? name) !== name) contested.add(thing);
      own.add(thing);
      owner.set(thing, name);
    }
  }
  return contested;
}

function compare(
  managed: Managed,
  module: string,
  byThing: Map<string, [Managed, string][]>,
  diagnostics: Diagnostics,
): void {
  const others = byThing.get(managed.thing) ?? [];
  for (const [other, otherModule] of others) {
    const reason = contradiction(other, managed);
    if (reason === undefined) continue;
    const first = otherModule === module ? other.resource : `${otherModule}/${other.resource}`;
    diagnostics.report(managed.place, {
      code: 'PUBLISH_CONTRADICTION',
      message: `${managed.thing} is managed by "${first}" too, and they disagree: ${reason}`,
      related: [{ place: other.place, message: `"${first}" is declared here` }],
    });
    break;
  }
  if (others.length < comparedLimit) byThing.set(managed.thing, [...others, [managed, module]]);
}
