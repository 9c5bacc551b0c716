import { AgentError } from '../../../agent/errors.ts';
import { combinationProblems } from '../../../agent/policy/resource-schemas/combination.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import type { ResourceSchema } from '../../../agent/policy/resource-schemas/schema.ts';
import { valueProblem } from '../../../agent/policy/resource-schemas/value-problem.ts';
import { isTemplate } from '../../../agent/policy/template/template.ts';
import { parseWhen, type When } from '../../../agent/policy/when/when.ts';
import type { Diagnostics } from './diagnostics.ts';
import type {
  ModuleDeclaration,
  ParameterDeclaration,
  ResourceDeclaration,
  StackModel,
} from './model.ts';
import { commonResourceKeys } from './module-reader.ts';
import { placeInText, type StackNode, scalarText } from './node.ts';
import type { Pause } from './pause.ts';
import { TemplateChecker } from './template-checker.ts';

type Declared = ReadonlyMap<string, ParameterDeclaration>;

/** Checks each resource by itself: parameters, conditions, templates, idempotency. */
export async function checkResources(
  model: StackModel,
  diagnostics: Diagnostics,
  pause: Pause,
): Promise<void> {
  const checker = new ResourceChecker(model, diagnostics);
  for (const [path, text] of model.templates) checker.templateFile(path, text);
  for (const module of model.modules.values()) {
    checker.condition(module.when);
    for (const resource of module.resources) checker.resource(resource, module);
    await pause();
  }
}

class ResourceChecker {
  readonly #model: StackModel;
  readonly #diagnostics: Diagnostics;
  readonly #templates: TemplateChecker;

  constructor(model: StackModel, diagnostics: Diagnostics) {
    this.#model = model;
    this.#diagnostics = diagnostics;
    this.#templates = new TemplateChecker(diagnostics);
  }

  templateFile(path: string, text: string): void {
    if (isTemplate(text)) this.#templates.parse(text, { kind: 'file', file: path });
  }

  resource(resource: ResourceDeclaration, module: ModuleDeclaration): void {
    const condition = this.condition(resource.when);
    this.#notified(resource, module);
    if (resource.variants !== undefined) {
      this.#templates.parseAll(resource.variants.on, resource.variants.node);
    }
    const schema = resourceSchemas.get(resource.type);
    if (schema === undefined) return;
    const overrides = [...(resource.variants?.match.values() ?? [])];
    const declared = [resource.parameters, ...overrides];
    for (const parameters of declared) this.#parameters(parameters, schema);
    // With cases, what counts is what each of them makes of the resource.
    const effective =
      overrides.length === 0
        ? [resource.parameters]
        : overrides.map((override) => new Map([...resource.parameters, ...override]));
    for (const parameters of effective) this.#combination(parameters, resource, schema);
    this.#idempotency(resource, schema, condition);
  }

  /** Parses a condition; one that is a template is parsed after rendering. */
  condition(node: StackNode | undefined): When | undefined {
    const text = node === undefined ? undefined : scalarText(node);
    if (node === undefined || text === undefined) return undefined;
    if (isTemplate(text)) {
      this.#templates.parse(text, node);
      return undefined;
    }
    try {
      return parseWhen(text);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      const details = error.details as Readonly<Record<string, unknown>>;
      this.#diagnostics.report(placeInText(node, 1, Number(details.offset ?? 0) + 1), {
        code: 'PUBLISH_CONDITION',
        message: String(details.reason ?? error.message),
        suggestion: details.suggestion === undefined ? undefined : String(details.suggestion),
      });
      return undefined;
    }
  }

  #parameters(parameters: Declared, schema: ResourceSchema): void {
    const known = [...schema.parameters.map(({ name }) => name), ...commonResourceKeys];
    for (const [name, { key, value, node }] of parameters) {
      const spec = schema.parameters.find((parameter) => parameter.name === name);
      if (spec === undefined) {
        const what = `parameter of ${schema.name}`;
        this.#diagnostics.unknown(key, 'PUBLISH_UNKNOWN_PARAMETER', what, name, known);
        continue;
      }
      const reason = valueProblem(spec, value);
      if (reason !== undefined) {
        const message = `${name} ${reason}`;
        this.#diagnostics.report(node, { code: 'PUBLISH_BAD_VALUE', message });
      }
      this.#templates.parseAll(value, node);
    }
  }

  #combination(parameters: Declared, resource: ResourceDeclaration, schema: ResourceSchema): void {
    const given = new Map([...parameters].map(([name, { value }]) => [name, value]));
    for (const problem of combinationProblems(schema, given)) {
      const { kind, names } = problem;
      if (kind === 'missing') {
        const when = problem.because === undefined ? '' : ` with ${problem.because}`;
        this.#diagnostics.report(resource.place, {
          code: 'PUBLISH_MISSING_PARAMETER',
          message: `${schema.name} "${resource.name}" needs ${names.join(' or ')}${when}`,
        });
      } else {
        this.#diagnostics.report(parameters.get(names[1]!)!.node, {
          code: 'PUBLISH_EXCLUSIVE_PARAMETERS',
          message: `give ${names.join(' or ')}, not both`,
        });
      }
    }
    this.#source(parameters.get('source'));
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

  #idempotency(
    resource: ResourceDeclaration,
    schema: ResourceSchema,
    condition: When | undefined,
  ): void {
    const { parameters, when } = resource;
    const state = parameters.get('state');
    if (
      state !== undefined &&
      schema.oneShotStates?.includes(String(state.value)) &&
      resource.subscribes.length === 0 &&
      condition?.needsTrigger !== true
    ) {
      this.#diagnostics.report(state.node, {
        code: 'PUBLISH_NO_TRIGGER',
        message: `state ${state.value} would act on every pass; add when: "changed" or subscribes`,
        suggestion: 'when: "changed"',
      });
    }
    if (schema.guards !== undefined && when === undefined) {
      if (schema.guards.some((guard) => parameters.has(guard))) return;
      if (resource.subscribes.length > 0) return;
      this.#diagnostics.report(resource.place, {
        code: 'PUBLISH_NO_GUARD',
        message: `${schema.name} "${resource.name}" would run on every pass; add ${schema.guards.join(', ')} or when`,
      });
    }
  }

  /** Who is notified must wait for it, or it would act on every pass anyway. */
  #notified(resource: ResourceDeclaration, module: ModuleDeclaration): void {
    for (const { name, node } of resource.notify) {
      const target = findResource(this.#model, module, name);
      if (target === undefined) continue;
      const text = target.when === undefined ? undefined : scalarText(target.when);
      if (text !== undefined && (isTemplate(text) || waitsForTrigger(text))) continue;
      this.#diagnostics.report(node, {
        code: 'PUBLISH_NO_TRIGGER',
        message: `"${target.name}" is notified but acts on every pass; give it when: "changed"`,
        suggestion: 'when: "changed"',
      });
    }
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
  const own = module.resources.find((resource) => resource.name === name);
  if (own !== undefined) return own;
  const slash = name.indexOf('/');
  const other = slash === -1 ? undefined : model.modules.get(name.slice(0, slash));
  return other?.resources.find((resource) => resource.name === name.slice(slash + 1));
}
