import { resourceSchemas } from '../resource-schemas/registry.ts';
import { conditional, dialect, type JsonSchema, never, reference } from './json-schema.ts';
import { resourceDefinitions } from './resource.ts';
import {
  condition,
  harmlessCommand,
  plainText,
  templateText,
  unprotectedPath,
  visibleName,
} from './texts.ts';

/** Kinds of policy files; each has a schema of its own. */
export const policyKinds = ['module', 'roles', 'common', 'environments', 'vars', 'stack'] as const;
export type PolicyKind = (typeof policyKinds)[number];

const scalar = { type: ['string', 'number', 'boolean'] };
/** Longest pattern of a host name, and most stars in it, as publish has them. */
const hostPattern = '^[^*]*(?:\\*[^*]*){0,8}$';

function names(definition: string, description: string): JsonSchema {
  const one = reference(definition);
  return { description, anyOf: [one, { type: 'array', items: one }, { type: 'null' }] };
}

const variables: JsonSchema = {
  type: ['object', 'null'],
  description: 'Variables, read as {{ .Vars.name }}.',
  propertyNames: reference('name'),
  additionalProperties: reference('value'),
};

const conditionalVariables: JsonSchema = {
  description: 'Variables that only hold where a condition does.',
  type: ['array', 'object', 'null'],
  items: {
    type: 'object',
    required: ['when', 'vars'],
    properties: { when: { allOf: [reference('when')] }, vars: variables },
    additionalProperties: false,
  },
};

/**
 * What a variable may be: text without hidden characters. Not followed into lists and maps: through
 * aliases that multiply, an editor would look at them for hours.
 */
const value: JsonSchema = { allOf: [plainText] };

/** Keys that every resource may have besides its type's parameters; `match` is the type's own. */
export function commonKeys(): Record<string, JsonSchema> {
  return {
    name: { ...scalar, description: 'Unique in its module.', allOf: [reference('name')] },
    type: reference('type'),
    when: { allOf: [reference('when')], description: "When it applies: os_family('debian')." },
    depends_on: names('resource-reference', 'Runs after these have succeeded.'),
    before: names('resource-reference', 'Runs before these.'),
    notify: names('resource-reference', 'Triggers these, which wait with when: "changed".'),
    subscribes: names('resource-reference', 'Is triggered by these.'),
    foreach: {
      allOf: [reference('variable')],
      description: 'A variable with a list; each element is .Item.',
    },
    case: {
      type: 'string',
      description: 'A template whose value picks one of `match`.',
      allOf: [reference('template'), reference('variables')],
    },
  };
}

function definitions(): Record<string, JsonSchema> {
  const common = Object.entries(commonKeys());
  const shared = Object.fromEntries(common.map(([key]) => [key, reference(`key-${key}`)]));
  const types = [...resourceSchemas.values()];
  return {
    ...Object.fromEntries(common.map(([key, schema]) => [`key-${key}`, schema])),
    name: { ...visibleName },
    module: { ...scalar, allOf: [reference('name')] },
    role: { ...scalar, allOf: [reference('name')] },
    environment: { ...scalar, allOf: [reference('name')] },
    'resource-reference': { ...scalar, allOf: [reference('name')] },
    variable: { type: ['string', 'array', 'object'] },
    variables: {},
    'declared-module': {},
    'declared-role': {},
    'template-file': {},
    graph: {},
    template: templateText(),
    when: condition(),
    unprotected: unprotectedPath(),
    harmless: harmlessCommand(),
    value,
    'declared-environment': {},
    type: {
      enum: types.map(({ name }) => name),
      markdownEnumDescriptions: types.map(({ summary }) => summary ?? ''),
      description: 'What kind of thing it is.',
    },
    ...Object.assign({}, ...types.map((schema) => resourceDefinitions(schema, shared))),
  };
}

function resource(isWhole: boolean): JsonSchema {
  const branches = [...resourceSchemas.keys()].map((name) =>
    conditional(
      { properties: { type: { const: name } }, required: ['type'] },
      isWhole ? reference(`${name}-needs`) : reference(name),
    ),
  );
  if (isWhole) {
    // With cases, what counts is what each of them makes of the resource.
    return conditional({ not: { required: ['match'] } }, { allOf: branches });
  }
  return {
    type: 'object',
    required: ['type'],
    properties: { type: reference('type') },
    allOf: branches,
    defaultSnippets: snippets(),
  };
}

/** The first example of each type, ready to be filled in. */
function snippets(): JsonSchema[] {
  return [...resourceSchemas.values()].flatMap(({ name, summary, examples }) => {
    const body = examples?.[0]?.resources[0];
    return body === undefined ? [] : [{ label: name, description: summary ?? '', body }];
  });
}

function object(title: string, properties: JsonSchema, rest: JsonSchema = {}): JsonSchema {
  return { title, type: 'object', properties, additionalProperties: false, ...rest };
}

function moduleSchema(): JsonSchema {
  const needed = [...resourceSchemas.values()].flatMap((schema) => [
    ...schema.parameters.filter((spec) => spec.required).map(({ name }) => name),
    ...(schema.requiredUnlessAbsent ?? []),
    ...(schema.requires ?? []).flatMap(({ needs }) => needs),
    ...(schema.oneOf ?? []).flat(),
    ...(schema.guards ?? []),
    'state',
  ]);
  const givesNeeded = [...new Set(needed)].map((name) => ({ required: [name] }));
  const properties = {
    name: {
      ...scalar,
      description: 'What others call it.',
      allOf: [reference('declared-module'), reference('module-name')],
    },
    configcrate: { ...scalar, description: 'The same as name.', allOf: [reference('module-name')] },
    description: scalar,
    depends_on: names('module', 'Modules that are done before this one.'),
    when: { allOf: [reference('when')], description: 'When the whole module applies.' },
    defaults: {
      type: 'object',
      description: 'Parameters for every resource whose type has them; its own value wins.',
      propertyNames: { enum: parameterNames() },
    },
    vars: variables,
    conditional_vars: conditionalVariables,
    environment_overrides: {
      type: 'object',
      description: 'Variables by environment.',
      additionalProperties: object('Environment', { vars: variables }),
    },
    compliance: { type: 'object' },
    resources: { type: 'array', maxItems: 10_000, items: resource(false) },
  };
  return object('Module of Vigo policy', properties, {
    allOf: [
      reference('graph'),
      // A default may give what a resource lacks.
      conditional(
        { not: { required: ['defaults'], properties: { defaults: { anyOf: givesNeeded } } } },
        { properties: { resources: { items: resource(true) } } },
      ),
    ],
  });
}

function parameterNames(): string[] {
  const names = [...resourceSchemas.values()].flatMap(({ parameters }) =>
    parameters.map(({ name }) => name),
  );
  return [...new Set(names)].sort();
}

function assignment(): Record<string, JsonSchema> {
  return {
    roles: names('role', 'Roles: named lists of modules.'),
    modules: names('module', 'Modules, besides those of the roles.'),
    configcrates: names('module', 'The same as modules.'),
    exclude_modules: names('module', 'Modules that are not wanted here.'),
    vars: variables,
    conditional_vars: conditionalVariables,
  };
}

function entry(): JsonSchema {
  const pattern = {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    pattern: hostPattern,
    patternErrorMessage: 'A pattern has at most 8 stars.',
  };
  const match = {
    description: 'Host names, * and ? are wildcards. The first entry that matches wins.',
    anyOf: [pattern, { type: 'array', minItems: 1, items: pattern }],
  };
  const environment = {
    allOf: [reference('environment')],
    description: 'Which overrides of environments.vgo and of the modules apply.',
  };
  return object(
    'Entry',
    { match, environment, ...assignment() },
    { required: ['match'], allOf: [reference('assignment')] },
  );
}

const sharedNames = [
  ...['name', 'module', 'role', 'environment', 'declared-role', 'declared-environment'],
  ...['value', 'when', 'variables'],
];

/** The schema of each kind of policy file, from the tables that publish itself checks with. */
export function policySchemas(): Record<PolicyKind, JsonSchema> {
  const role = object('Role', {
    name: { ...scalar, allOf: [reference('name'), reference('declared-role')] },
    description: scalar,
    modules: names('module', 'The modules of the role.'),
    configcrates: names('module', 'The same as modules.'),
  });
  const named = { ...role, required: ['name'] };
  const overrides = object('Overrides', assignment(), { allOf: [reference('assignment')] });
  const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
  const entries = { ...list(entry()), allOf: [reference('order')] };
  const whole = definitions();
  const shared = {
    ...Object.fromEntries(sharedNames.map((key) => [key, whole[key]!])),
    assignment: {},
    order: firstMatchWins,
  };
  const document = (title: string, schema: JsonSchema): JsonSchema => ({
    $schema: dialect,
    ...schema,
    title,
    definitions: shared,
  });
  const byKind = (cases: readonly [JsonSchema, JsonSchema][], otherwise: JsonSchema): JsonSchema =>
    cases.reduceRight<JsonSchema>(
      (rest, [test, schema]) => ({ ...conditional(test, schema), else: rest }),
      otherwise,
    );
  const leaf = object('Entries', { envoys: entries, nodes: entries });
  return {
    module: {
      $schema: dialect,
      ...moduleSchema(),
      definitions: {
        ...whole,
        'module-name': {
          allOf: [reference('name')],
          ...{ pattern: '^[^/]*$', patternErrorMessage: 'The name must not contain "/".' },
        },
      },
    },
    roles: document(
      'Roles of Vigo policy',
      byKind(
        [
          [{ type: 'array' }, list(named)],
          [{ required: ['roles'] }, object('Roles', { roles: list(named) })],
        ],
        role,
      ),
    ),
    common: document('Inherited by all entries below', overrides),
    environments: document(
      'Environments of Vigo policy',
      object('Environments', {
        env: {
          type: 'object',
          propertyNames: { allOf: [reference('name'), reference('declared-environment')] },
          additionalProperties: overrides,
        },
      }),
    ),
    vars: document('Variables for everything', { ...variables, type: 'object' }),
    stack: document(
      'Entries of Vigo policy',
      byKind(
        [
          [{ type: 'array' }, entries],
          [{ required: ['match'] }, entry()],
        ],
        leaf,
      ),
    ),
  };
}

/** An entry for all hosts leaves nothing to those after it. */
const all = { enum: ['*', '**'] };
const firstMatchWins: JsonSchema = conditional(
  { minItems: 2 },
  {
    items: [
      never(
        {
          required: ['match'],
          properties: { match: { anyOf: [all, { type: 'array', contains: all }] } },
        },
        'This entry matches every host, so those after it are never reached.',
      ),
    ],
  },
);
