import type { GuardLayout } from '../../../agent/policy/guardrails.ts';
import type { CompileCache } from './compile-cache.ts';
import { Diagnostics } from './diagnostics.ts';
import { Expander, type Instance } from './expand.ts';
import { type Expansion, foreignModules, instanceNames } from './expansion.ts';
import { InstanceChecker, type Uses } from './instance-checker.ts';
import type { ConditionalVars, StackModel } from './model.ts';
import { scalarText } from './node.ts';
import { type Reads, readsOf, sameTemplates } from './reads.ts';
import type { ResolvedModule } from './resolve.ts';
import { TemplateChecker } from './template-checker.ts';

/** Expands and checks modules, once for all entries that give a module the same values. */
export class ModuleExpander {
  readonly #model: StackModel;
  readonly #diagnostics: Diagnostics;
  readonly #layout: GuardLayout;
  readonly #cache: CompileCache;
  /** What one module's expansion reports, before it is known whether the expansion may be kept. */
  readonly #own = new Diagnostics();
  readonly #templates: TemplateChecker;
  readonly #expander: Expander;
  readonly #checker: InstanceChecker;
  /** Expansions with findings, which are not kept for the next compilation. */
  readonly #faulty = new Map<string, Expansion>();

  constructor(
    model: StackModel,
    diagnostics: Diagnostics,
    layout: GuardLayout,
    cache: CompileCache,
  ) {
    this.#model = model;
    this.#diagnostics = diagnostics;
    this.#layout = layout;
    this.#cache = cache;
    this.#templates = new TemplateChecker(this.#own);
    this.#expander = new Expander(this.#own, this.#templates);
    this.#checker = new InstanceChecker(model, this.#own, layout, this.#templates);
  }

  /** `made`: it was not known already. */
  expand(module: ResolvedModule, where: string): { expansion: Expansion; made: boolean } {
    const reads = this.#reads(module);
    const key = this.#key(module, reads);
    const known = this.#cache.expansions.get(key) ?? this.#faulty.get(key);
    if (known !== undefined) return { expansion: known, made: false };
    const expansion = this.#make(module, reads, where);
    const findings = this.#own.take();
    this.#diagnostics.include(findings);
    if (findings.length === 0) this.#cache.expansions.set(key, expansion);
    else this.#faulty.set(key, expansion);
    return { expansion, made: true };
  }

  #reads({ declaration }: ResolvedModule): Reads {
    const known = this.#cache.reads.get(declaration);
    if (known !== undefined && sameTemplates(known, this.#model)) return known;
    const reads = readsOf(declaration, this.#model, this.#templates);
    this.#cache.reads.set(declaration, reads);
    return reads;
  }

  #key({ declaration, vars, conditionalVars }: ResolvedModule, reads: Reads): string {
    const names = reads.vars === 'all' ? Object.keys(vars) : [...reads.vars];
    const values = names.map(
      (name) => `${JSON.stringify(name)}:${this.#cache.identity(vars[name])}`,
    );
    const conditions = conditionalVars
      .filter((item) => touches(item, reads))
      .map((item) => this.#cache.identity(item));
    const parts = [declaration, this.#layout, reads].map((part) => this.#cache.identity(part));
    return [...parts, values, conditions].join('|');
  }

  #make(module: ResolvedModule, reads: Reads, where: string): Expansion {
    const { declaration, vars } = module;
    const instances = this.#expander.module(module);
    const uses: Uses = { templates: {}, managed: [], urls: [] };
    const when = this.#when(module, where);
    for (const instance of instances) this.#checker.check(instance, when, uses, where);
    for (const conditional of module.conditionalVars) {
      if (!touches(conditional, reads)) continue;
      this.#conditional(module, conditional, instances, uses, where);
    }
    return {
      declaration,
      instances: instances.map((instance) => ({ ...instance, data: { Vars: vars, Traits: {} } })),
      names: instanceNames(instances),
      when,
      ...uses,
      foreign: foreignModules(declaration),
      settled: new Map(),
    };
  }

  /** The resources as they are where the condition holds. */
  #conditional(
    module: ResolvedModule,
    conditional: ConditionalVars,
    instances: readonly Instance[],
    uses: Uses,
    where: string,
  ): void {
    const vars = { ...module.vars, ...conditional.vars.values };
    const there = `${where}, when ${conditional.when}`;
    const elsewhere: Uses = { templates: uses.templates, managed: [], urls: uses.urls };
    const names = new Set(instances.map(({ name }) => name));
    for (const { declaration, name } of this.#expander.module({ ...module, vars })) {
      if (!declaration.named || names.has(name)) continue;
      const message = 'the name of a resource must not depend on a conditional variable';
      this.#own.report(declaration.place, { code: 'PUBLISH_TEMPLATE', message });
    }
    for (const instance of instances) {
      const data = { ...instance.data, Vars: vars };
      this.#checker.check({ ...instance, data }, undefined, elsewhere, there);
    }
  }

  /** A module's condition is the same for all of its resources, so it must not need traits. */
  #when({ declaration, vars, conditionalVars }: ResolvedModule, where: string): string | undefined {
    const node = declaration.when;
    const text = node === undefined ? undefined : scalarText(node);
    if (node === undefined || text === undefined) return undefined;
    const render = (values: typeof vars) =>
      this.#templates.condition(text, { Vars: values, Traits: {} }, node, where);
    const rendered = render(vars);
    const fixed = conditionalVars.every(
      ({ vars: others }) => render({ ...vars, ...others.values }) === rendered,
    );
    if (typeof rendered === 'string' && fixed) return rendered;
    const message = fixed
      ? 'the condition of a module reads traits by functions, not by templates'
      : 'the condition of a module must not depend on a conditional variable';
    this.#own.report(node, { code: 'PUBLISH_CONDITION', message });
    return undefined;
  }
}

function touches({ vars }: ConditionalVars, reads: Reads): boolean {
  const { vars: names } = reads;
  return names === 'all' || [...vars.places.keys()].some((name) => names.has(name));
}
