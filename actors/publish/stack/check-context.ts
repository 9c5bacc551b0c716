import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import { isTemplate } from '../../../agent/policy/template/template.ts';
import { parseWhen } from '../../../agent/policy/when/when.ts';
import type { Diagnostics } from './diagnostics.ts';
import type {
  ModuleDeclaration,
  ParameterDeclaration,
  ResourceDeclaration,
  StackModel,
} from './model.ts';
import { scalarText } from './node.ts';

/** What the rest of the stack makes of a module. */
export class ContextChecker {
  readonly #model: StackModel;
  readonly #diagnostics: Diagnostics;
  readonly #waits = new Map<string, boolean>();

  constructor(model: StackModel, diagnostics: Diagnostics) {
    this.#model = model;
    this.#diagnostics = diagnostics;
  }

  module(module: ModuleDeclaration): void {
    for (const resource of module.resources) {
      if (resource.notify.length > 0) this.#notified(resource, module);
      if (!takesTemplateFile(resource.type)) continue;
      this.#source(resource.parameters.get('source'));
      for (const override of resource.variants?.match.values() ?? []) {
        this.#source(override.get('source'));
      }
    }
  }

  /** A literal `source` is a file of the stack, or an absolute path on the node. */
  #source(source: ParameterDeclaration | undefined): void {
    if (source === undefined || typeof source.value !== 'string') return;
    if (isTemplate(source.value) || source.value.startsWith('/')) return;
    if (this.#model.templates.has(source.value)) return;
    const known = this.#model.templates.keys();
    const code = 'PUBLISH_UNKNOWN_REFERENCE';
    this.#diagnostics.unknown(source.node, code, 'template', source.value, known);
  }

  /** Who is notified must wait for it, or it would act on every pass anyway. */
  #notified(resource: ResourceDeclaration, module: ModuleDeclaration): void {
    for (const { name, node } of resource.notify) {
      const target = findResource(this.#model, module, name);
      if (target === undefined) continue;
      const text = target.when === undefined ? undefined : scalarText(target.when);
      if (text !== undefined && this.#waitsForTrigger(text)) continue;
      this.#diagnostics.report(node, {
        code: 'PUBLISH_NO_TRIGGER',
        message: `"${target.name}" is notified but acts on every pass; give it when: "changed"`,
        suggestion: 'when: "changed"',
      });
    }
  }

  #waitsForTrigger(text: string): boolean {
    let waits = this.#waits.get(text);
    if (waits === undefined) {
      waits = isTemplate(text) || waitsForTrigger(text);
      this.#waits.set(text, waits);
    }
    return waits;
  }
}

function waitsForTrigger(text: string): boolean {
  try {
    return parseWhen(text).needsTrigger;
  } catch {
    // The condition's own mistake has been reported.
    return true;
  }
}

function findResource(
  model: StackModel,
  module: ModuleDeclaration,
  name: string,
): ResourceDeclaration | undefined {
  const own = module.resourcesByName.get(name);
  if (own !== undefined) return own;
  const slash = name.indexOf('/');
  const other = slash === -1 ? undefined : model.modules.get(name.slice(0, slash));
  return other?.resourcesByName.get(name.slice(slash + 1));
}

/** Types with text of their own may take it from a template file of the stack. */
export function takesTemplateFile(type: string): boolean {
  const names = resourceSchemas.get(type)?.parameters.map(({ name }) => name) ?? [];
  return names.includes('source') && names.includes('content');
}
