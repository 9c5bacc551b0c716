import { conditional, type JsonSchema, literal, matching, never } from './json-schema.ts';
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
    stack: narrow(schemas.stack),
  };
}

function narrowDefinitions(names: StackNames): Record<string, JsonSchema> {
  const known = (what: string, values: readonly string[]): JsonSchema => ({
    enum: values,
    errorMessage: `The stack has no such ${what}.`,
  });
  return {
    module: known('module', names.modules),
    role: known('role', names.roles),
    environment: known('environment', names.environments),
    'resource-reference': known('resource or module', [...names.resources, ...names.modules]),
    variable: known('variable', names.variables),
    variables: knownVariables(names.variables),
    'declared-module': single(names.modulesDeclaredTwice, 'module'),
    'declared-role': single(names.rolesDeclaredTwice, 'role'),
    'template-file': matching(
      `^/|\\{\\{|secret:|^(?:${words(names.templates)})$`,
      'The stack has no such template file.',
    ),
    graph: { allOf: [...names.dependents].map(([name, dependents]) => acyclic(name, dependents)) },
    assignment:
      names.modules.length > pairLimit ? {} : { allOf: names.modules.map(notGivenAndExcluded) },
  };
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
