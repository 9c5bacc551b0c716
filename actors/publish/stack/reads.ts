import { isTemplate } from '../../../agent/policy/template/template.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { takesTemplateFile } from './check-context.ts';
import type { ModuleDeclaration, ParameterDeclaration, StackModel } from './model.ts';
import { type StackNode, scalarText } from './node.ts';
import type { TemplateChecker, TextOrigin } from './template-checker.ts';

/** What a module's resources depend on besides its declaration. */
export interface Reads {
  /** Names of variables; "all" when that cannot be told. */
  readonly vars: ReadonlySet<string> | 'all';
  /** Template files by path, as they were; undefined: not there. */
  readonly templates: ReadonlyMap<string, string | undefined>;
}

export function sameTemplates(reads: Reads, model: StackModel): boolean {
  for (const [path, text] of reads.templates) {
    if (model.templates.get(path) !== text) return false;
  }
  return true;
}

/** Finds the variables that the templates of a module can read, whatever the traits are. */
export function readsOf(
  module: ModuleDeclaration,
  model: StackModel,
  templates: TemplateChecker,
): Reads {
  const collector = new Collector(model, templates);
  if (module.when !== undefined) collector.condition(module.when);
  for (const resource of module.resources) {
    const place = { kind: 'file', file: resource.place.file } as const;
    collector.value(resource.name, place);
    if (resource.when !== undefined) collector.condition(resource.when);
    if (resource.foreach?.variable !== undefined) collector.foreach(resource.foreach.variable);
    collector.parameters(resource.parameters, resource.type);
    if (resource.variants === undefined) continue;
    collector.value(resource.variants.on, resource.variants.node);
    for (const override of resource.variants.match.values())
      collector.parameters(override, resource.type);
  }
  return { vars: collector.all ? 'all' : collector.vars, templates: collector.files };
}

class Collector {
  readonly vars = new Set<string>();
  readonly files = new Map<string, string | undefined>();
  all = false;
  readonly #model: StackModel;
  readonly #templates: TemplateChecker;

  constructor(model: StackModel, templates: TemplateChecker) {
    this.#model = model;
    this.#templates = templates;
  }

  /** A condition names its variables as vars.x; which ones it names a template can hide. */
  condition(node: StackNode): void {
    const text = scalarText(node) ?? '';
    this.value(text, node);
    const named = [...text.matchAll(/\bvars\.([^.\s=!<>&|(),]+)/g)].map((match) => match[1]!);
    if (isTemplate(text) && /\bvars\b/.test(text)) this.all = true;
    for (const name of named) this.vars.add(name);
  }

  foreach(variable: string): void {
    this.vars.add(variable);
    this.vars.add(variable.split('.')[0]!);
  }

  parameters(parameters: ReadonlyMap<string, ParameterDeclaration>, type: string): void {
    for (const { value, node } of parameters.values()) this.value(value, node);
    const source = parameters.get('source')?.value;
    if (typeof source !== 'string' || !takesTemplateFile(type)) return;
    if (isTemplate(source)) {
      this.all = true;
      return;
    }
    if (source.startsWith('/')) return;
    const text = this.#model.templates.get(source);
    this.files.set(source, text);
    if (text !== undefined) this.value(text, { kind: 'file', file: source });
  }

  value(value: PolicyValue, origin: TextOrigin): void {
    if (value !== null && typeof value === 'object') {
      for (const item of Object.values(value)) this.value(item, origin);
      return;
    }
    if (typeof value !== 'string' || !isTemplate(value) || this.all) return;
    const template = this.#templates.parse(value, origin);
    for (const { root, path } of template?.references() ?? []) {
      if (root === '' || (root === 'Vars' && path.length === 0)) this.all = true;
      else if (root === 'Vars') this.vars.add(path[0]!);
    }
  }
}
