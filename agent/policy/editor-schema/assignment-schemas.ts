import { conditional, type JsonSchema, never, reference } from './json-schema.ts';
import { conditionalVariables, listOf, names, object, scalar, variables } from './shapes.ts';

/** Longest pattern of a host name, and most stars in it, as publish has them. */
const hostPattern = '^[^*]*(?:\\*[^*]*){0,8}$';

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

/** Tries one after the other: [test, schema]. */
function byKind(
  cases: readonly (readonly [JsonSchema, JsonSchema])[],
  otherwise: JsonSchema,
): JsonSchema {
  return cases.reduceRight<JsonSchema>(
    (rest, [test, schema]) => ({ ...conditional(test, schema), else: rest }),
    otherwise,
  );
}

/** roles.vgo: a list, `roles:` with a list, or one role called as its file. */
export function rolesSchema(): JsonSchema {
  const role = object('Role', {
    name: { ...scalar, allOf: [reference('name'), reference('declared-role')] },
    description: scalar,
    modules: names('module', 'The modules of the role.'),
    configcrates: names('module', 'The same as modules.'),
  });
  const named = listOf({ ...role, required: ['name'] });
  return byKind(
    [
      [{ type: 'array' }, named],
      [{ required: ['roles'] }, object('Roles', { roles: named })],
    ],
    role,
  );
}

/** common.vgo, and each environment. */
export function overridesSchema(): JsonSchema {
  return object('Overrides', assignment(), { allOf: [reference('assignment')] });
}

/** environments.vgo. */
export function environmentsSchema(): JsonSchema {
  return object('Environments', {
    env: {
      type: 'object',
      propertyNames: { allOf: [reference('name'), reference('declared-environment')] },
      additionalProperties: overridesSchema(),
    },
  });
}

/** A leaf file: `envoys:` or `nodes:` with a list, a list, or one entry. */
export function entriesSchema(): JsonSchema {
  const entries = { ...listOf(entry()), allOf: [firstMatchWins] };
  return byKind(
    [
      [{ type: 'array' }, entries],
      [{ required: ['match'] }, entry()],
    ],
    object('Entries', { envoys: entries, nodes: entries }),
  );
}
