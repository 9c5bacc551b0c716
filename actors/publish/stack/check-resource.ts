import { AgentError } from '../../../agent/errors.ts';
import { combinationProblems } from '../../../agent/policy/resource-schemas/combination.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import type { ResourceSchema } from '../../../agent/policy/resource-schemas/schema.ts';
import { valueProblem } from '../../../agent/policy/resource-schemas/value-problem.ts';
import { lineAndColumn } from '../../../agent/policy/template/position.ts';
import { isTemplate } from '../../../agent/policy/template/template.ts';
import { parseWhen, type When } from '../../../agent/policy/when/when.ts';
import { ContextChecker } from './check-context.ts';
import { assignmentsOf } from './check-entries.ts';
import { Diagnostics, type Reported } from './diagnostics.ts';
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
  checks: WeakMap<ModuleDeclaration, readonly Reported[]>,
): Promise<void> {
  const own = new Diagnostics();
  const checker = new ResourceChecker(own);
  for (const [path, text] of model.templates) checker.templateFile(path, text);
  diagnostics.include(own.take());
  const context = new ContextChecker(model, diagnostics);
  for (const module of model.modules.values()) {
    let findings = checks.get(module);
    if (findings === undefined) {
      checker.module(module);
      findings = own.take();
      checks.set(module, findings);
      await pause();
    }
    diagnostics.include(findings);
    context.module(module);
  }
  for (const assignment of assignmentsOf(model)) {
    for (const { node } of assignment.conditionalVars) checker.variableCondition(node);
  }
  diagnostics.include(own.take());
}

/** What a module is by itself, whatever else the stack holds. */
class ResourceChecker {
  readonly #diagnostics: Diagnostics;
  readonly #templates: TemplateChecker;
  readonly #conditions = new Map<string, When>();

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
    this.#templates = new TemplateChecker(diagnostics);
  }

  templateFile(path: string, text: string): void {
    if (isTemplate(text)) this.#templates.parse(text, { kind: 'file', file: path });
  }

  module(module: ModuleDeclaration): void {
    this.condition(module.when);
    for (const { node } of module.conditionalVars) this.variableCondition(node);
    for (const resource of module.resources) this.resource(resource);
  }

  resource(resource: ResourceDeclaration): void {
    const condition = this.condition(resource.when);
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
    for (const parameters of effective) {
      this.#combination(parameters, resource, schema);
      this.#idempotency(parameters, resource, schema, condition);
    }
  }

  /** Parses a condition; one that is a template is parsed after rendering. */
  condition(node: StackNode | undefined): When | undefined {
    const text = node === undefined ? undefined : scalarText(node);
    if (node === undefined || text === undefined) return undefined;
    if (isTemplate(text)) {
      this.#templates.parse(text, node);
      return undefined;
    }
    const known = this.#conditions.get(text);
    if (known !== undefined) return known;
    try {
      const parsed = parseWhen(text);
      this.#conditions.set(text, parsed);
      return parsed;
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      const details = error.details as Readonly<Record<string, unknown>>;
      const { line, column } = lineAndColumn(text, Number(details.offset ?? 0));
      this.#diagnostics.report(placeInText(node, line, column), {
        code: 'PUBLISH_CONDITION',
        message: String(details.reason ?? error.message),
        suggestion: details.suggestion === undefined ? undefined : String(details.suggestion),
      });
      return undefined;
    }
  }

  /** Variables are known before anything is rendered or triggered. */
  variableCondition(node: StackNode): void {
    const report = (message: string) =>
      this.#diagnostics.report(node, { code: 'PUBLISH_CONDITION', message });
    if (isTemplate(scalarText(node) ?? '')) {
      report('the condition of variables must not be a template');
    } else if (this.condition(node)?.needsTrigger === true) {
      report('the condition of variables cannot wait for a change');
    } else if (this.condition(node)?.readsVariables === true) {
      report('the condition of variables cannot read variables; use traits');
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
      if (problem.kind === 'form') {
        this.#diagnostics.report(parameters.get(problem.name)!.node, {
          code: 'PUBLISH_BAD_VALUE',
          message: `${problem.name} must be ${problem.missed}`,
        });
        continue;
      }
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
  }

  #idempotency(
    parameters: Declared,
    resource: ResourceDeclaration,
    schema: ResourceSchema,
    condition: When | undefined,
  ): void {
    const { when } = resource;
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
        message: `${schema.name} "${resource.name}" would run on every pass; add ${[schema.guards.join(', '), 'when'].filter((text) => text !== '').join(' or ')}`,
      });
    }
  }
}
