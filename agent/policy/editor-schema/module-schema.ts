import { resourceSchemas } from '../resource-schemas/registry.ts';
import { conditional, type JsonSchema, matching, reference } from './json-schema.ts';
import { resourceDefinitions } from './resource.ts';
import { conditionalVariables, names, object, scalar, variables } from './shapes.ts';
import {
  condition,
  harmlessCommand,
  plainText,
  templateText,
  unprotectedPath,
  visibleName,
} from './texts.ts';

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

/** What the schemas refer to; for one stack some of them are narrowed. */
export function definitions(): Record<string, JsonSchema> {
  const common = Object.entries(commonKeys());
  const shared = Object.fromEntries(common.map(([key]) => [key, reference(`key-${key}`)]));
  const types = [...resourceSchemas.values()];
  return {
    ...Object.fromEntries(common.map(([key, schema]) => [`key-${key}`, schema])),
    name: { ...visibleName },
    'module-name': {
      allOf: [reference('name'), matching('^[^/]*$', 'The name must not contain "/".')],
    },
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

/** A file of modules/. */
export function moduleSchema(): JsonSchema {
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
