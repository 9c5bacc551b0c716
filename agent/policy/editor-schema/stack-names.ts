import { conditional, type JsonSchema, literal, matching, never, refused } from './json-schema.ts';
import type { PolicyKind } from './policy-schemas.ts';

/** What one stack declares: with it the editor knows unknown names from known ones. */
export interface StackNames {
  readonly modules: readonly string[];
  readonly roles: readonly string[];
  readonly environments: readonly string[];
  /** "templates/x.tmpl". */
  readonly templates: readonly string[];
  /** Of all modules, entries and overrides together. */
  readonly variables: readonly string[];
  /** Names of resources as written, and as "module/resource". */
  readonly resources: readonly string[];
  /** Variables that somewhere are a list or a map, so that foreach may go over them. */
  readonly collections: readonly string[];
  /** Module -> names that two of its resources have. */
  readonly resourcesDeclaredTwice: ReadonlyMap<string, readonly string[]>;
  readonly environmentsDeclaredTwice: readonly string[];
  /** Names that more than one file declares. */
  readonly modulesDeclaredTwice: readonly string[];
  readonly rolesDeclaredTwice: readonly string[];
  /** Module -> what it must not depend on, because that depends on it. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
}

/** Modules up to which "given and excluded" is checked pair by pair. */
const pairLimit = 200;

/** The schemas narrowed to one stack. They are as new as the names in them. */
export function narrowToStack(
  schemas: Readonly<Record<PolicyKind, JsonSchema>>,
  names: StackNames,
): Record<PolicyKind, JsonSchema> {
  const narrowed = narrowDefinitions(names);
  const narrow = (schema: JsonSchema): JsonSchema => {
    const definitions = schema.definitions as Readonly<Record<string, JsonSchema>>;
    const own = Object.entries(narrowed).filter(([name]) => Object.hasOwn(definitions, name));
    return { ...schema, definitions: { ...definitions, ...Object.fromEntries(own) } };
  };
  return {
    module: narrow(schemas.module),
    roles: narrow(schemas.roles),
    common: narrow(schemas.common),
    environments: narrow(schemas.environments),
    vars: narrow(schemas.vars),
    stack: narrow(schemas.stack),
  };
}

function narrowDefinitions(names: StackNames): Record<string, JsonSchema> {
  const known = (what: string, values: readonly string[]): JsonSchema => {
    const errorMessage = `The stack has no such ${what}.`;
    return values.length === 0 ? refused(errorMessage) : { enum: unique(values), errorMessage };
  };
  return {
    module: known('module', names.modules),
    role: known('role', names.roles),
    environment: known('environment', names.environments),
    'resource-reference': known('resource or module', [...names.resources, ...names.modules]),
    variable: matching(
      `\\{\\{|^(?:${words(names.collections)})(?:\\.|$)`,
      'The stack has no such variable with a list or a map.',
    ),
    variables: knownVariables(names.variables),
    'declared-module': single(names.modulesDeclaredTwice, 'module'),
    'declared-role': single(names.rolesDeclaredTwice, 'role'),
    'template-file': matching(
      `^/|\\{\\{|secret:|^(?:${words(names.templates)})$`,
      'The stack has no such template file.',
    ),
    'declared-environment': single(names.environmentsDeclaredTwice, 'environment'),
    graph: {
      allOf: [
        ...[...names.dependents].map(([name, dependents]) => acyclic(name, dependents)),
        ...[...names.resourcesDeclaredTwice].map(([name, twice]) => distinct(name, twice)),
      ],
    },
    assignment:
      names.modules.length > pairLimit ? {} : { allOf: names.modules.map(notGivenAndExcluded) },
  };
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** No words match nothing. */
function words(values: readonly string[]): string {
  return values.length === 0 ? '(?!)' : values.map(literal).join('|');
}

function knownVariables(variables: readonly string[]): JsonSchema {
  const unknown = `\\{\\{[^}]*\\.Vars\\.(?!(?:${words(variables)})(?![A-Za-z0-9_]))[A-Za-z_]`;
  return matching(
    `^(?:(?!${unknown})[\\s\\S])*$`,
    'A template reads a variable that nothing gives.',
  );
}

function single(twice: readonly string[], what: string): JsonSchema {
  const message = `Another file declares a ${what} of this name.`;
  return twice.length === 0 ? {} : never({ enum: twice }, message);
}

/** A list with one of the values, or one of them by itself. */
function holding(values: readonly string[]): JsonSchema {
  return { anyOf: [{ enum: values }, { type: 'array', contains: { enum: values } }] };
}

function acyclic(name: string, dependents: readonly string[]): JsonSchema {
  return conditional(
    { required: ['name'], properties: { name: { const: name } } },
    {
      properties: {
        depends_on: never(holding(dependents), `${name} cannot depend on what depends on it.`),
      },
    },
  );
}

function distinct(module: string, twice: readonly string[]): JsonSchema {
  const name = never({ enum: twice }, 'Another resource of the module has this name.');
  return conditional(
    { required: ['name'], properties: { name: { const: module } } },
    { properties: { resources: { items: { properties: { name } } } } },
  );
}

function notGivenAndExcluded(name: string): JsonSchema {
  const has = holding([name]);
  return never(
    {
      required: ['modules', 'exclude_modules'],
      properties: { modules: has, exclude_modules: has },
    },
    `Module ${name} is given and excluded.`,
  );
}
