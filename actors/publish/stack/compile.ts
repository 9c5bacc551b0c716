import type { GuardLayout } from '../../../agent/policy/guardrails.ts';
import {
  type BundleDocument,
  type BundleModule,
  type BundleResource,
  bundleFormatVersion,
} from '../../../agent/protocol/bundle.ts';
import type { ManagedModule } from './check-conflicts.ts';
import type { CompileCache } from './compile-cache.ts';
import type { Diagnostics } from './diagnostics.ts';
import { bundleResource, settleReferences } from './expand.ts';
import type { Expansion, UrlUse } from './expansion.ts';
import type { ConditionalVars, StackModel } from './model.ts';
import { ModuleExpander } from './module-expander.ts';
import type { Pause } from './pause.ts';
import type { Resolution, ResolvedModule } from './resolve.ts';

/** Resources of one envoy, all modules together and expanded. */
export const bundleResourceLimit = 50_000;

/** The bundle of one entry, and what it would touch. */
export interface CompiledEntry {
  readonly document: BundleDocument;
  readonly expansions: readonly Expansion[];
}

/** Makes the bundles of resolutions, and reports what only shows with their variables. */
export class Compiler {
  readonly #diagnostics: Diagnostics;
  readonly #cache: CompileCache;
  readonly #expander: ModuleExpander;
  readonly #managed = new Map<Expansion, ManagedModule>();

  constructor(
    model: StackModel,
    diagnostics: Diagnostics,
    layout: GuardLayout,
    cache: CompileCache,
  ) {
    this.#diagnostics = diagnostics;
    this.#cache = cache;
    this.#expander = new ModuleExpander(model, diagnostics, layout, cache);
  }

  async compile(resolution: Resolution, pause: Pause): Promise<CompiledEntry> {
    const { entry } = resolution;
    const where = `for the entry in ${entry.place.file}`;
    const expansions: Expansion[] = [];
    for (const module of resolution.modules) {
      this.#conditionalVars(module);
      const { expansion, made } = this.#expander.expand(module, where);
      expansions.push(expansion);
      if (made) await pause();
    }
    await pause();
    const count = expansions.reduce((sum, { instances }) => sum + instances.length, 0);
    if (count > bundleResourceLimit) {
      const message = `more than ${bundleResourceLimit} resources for one envoy`;
      this.#diagnostics.report(entry.place, { code: 'PUBLISH_LIMIT', message });
    }
    return { document: this.#document(resolution, expansions), expansions };
  }

  /** What an entry's modules manage; the same objects for entries that share them. */
  managed({ expansions }: CompiledEntry): ManagedModule[] {
    return expansions.map((expansion) => {
      const known = this.#managed.get(expansion);
      if (known !== undefined) return known;
      const { declaration, managed } = expansion;
      const made = { name: declaration.name, managed };
      this.#managed.set(expansion, made);
      return made;
    });
  }

  urls(entries: readonly CompiledEntry[]): UrlUse[] {
    const expansions = new Set(entries.flatMap((entry) => entry.expansions));
    return [...expansions].flatMap(({ urls }) => urls);
  }

  /** A template that reads the variable must render also where the condition does not hold. */
  #conditionalVars(module: ResolvedModule): void {
    for (const { vars } of module.conditionalVars) {
      for (const [name, place] of vars.places) {
        if (Object.hasOwn(module.vars, name)) continue;
        this.#diagnostics.report(place, {
          code: 'PUBLISH_MISSING_VARIABLE',
          message: `"${name}" has no value where the condition does not hold; give it one in vars`,
        });
      }
    }
  }

  #document(resolution: Resolution, expansions: readonly Expansion[]): BundleDocument {
    const names = new Map(
      resolution.modules.map((module, index) => [
        module.declaration.name,
        expansions[index]!.names,
      ]),
    );
    const modules = resolution.modules.map((module, index) =>
      this.#module(module, expansions[index]!, names),
    );
    const key = [...modules, ...expansions.map(({ templates }) => templates)]
      .map((part) => this.#cache.identity(part))
      .join();
    const known = this.#cache.documents.get(key);
    if (known !== undefined) return known;
    const templates: Record<string, string> = {};
    for (const expansion of expansions) Object.assign(templates, expansion.templates);
    const document: BundleDocument = { format: bundleFormatVersion, modules, templates };
    this.#cache.documents.set(key, document);
    return document;
  }

  #module(module: ResolvedModule, expansion: Expansion, others: InstanceNames): BundleModule {
    const resources = this.#resources(expansion, others);
    const { vars, dependsOn, conditionalVars } = module;
    const values = Object.entries(vars).map(
      ([name, value]) => `${JSON.stringify(name)}:${this.#cache.identity(value)}`,
    );
    const conditions = conditionalVars.map((item) => this.#cache.identity(item));
    const key = [this.#cache.identity(resources), values, dependsOn, conditions].join('|');
    const known = this.#cache.modules.get(key);
    if (known !== undefined) return known;
    const made: BundleModule = {
      name: expansion.declaration.name,
      ...(expansion.when === undefined ? {} : { when: expansion.when }),
      vars,
      ...(conditionalVars.length === 0
        ? {}
        : { conditionalVars: conditionalVars.map(bundleConditional) }),
      dependsOn,
      resources,
    };
    this.#cache.modules.set(key, made);
    return made;
  }

  /** References end at what the other modules of the envoy have. */
  #resources(expansion: Expansion, others: InstanceNames): readonly BundleResource[] {
    const key = expansion.foreign.map((name) => this.#cache.identity(others.get(name))).join();
    const known = expansion.settled.get(key);
    if (known !== undefined) return known;
    const resources = expansion.instances.map((instance) =>
      bundleResource(instance, (references) =>
        settleReferences(references, expansion.names, others),
      ),
    );
    if (expansion.settled.size >= settledLimit) expansion.settled.clear();
    expansion.settled.set(key, resources);
    return resources;
  }
}

/** Module -> declared name of a resource -> names of its instances. */
type InstanceNames = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Ways in which one module's references may end that are kept. */
const settledLimit = 1000;

function bundleConditional({
  when,
  vars,
}: ConditionalVars): NonNullable<BundleModule['conditionalVars']>[number] {
  return { when, vars: vars.values };
}
