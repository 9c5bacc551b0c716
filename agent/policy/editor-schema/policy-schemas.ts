import {
  entriesSchema,
  environmentsSchema,
  overridesSchema,
  rolesSchema,
} from './assignment-schemas.ts';
import { dialect, type JsonSchema } from './json-schema.ts';
import { definitions, moduleSchema } from './module-schema.ts';
import { variables } from './shapes.ts';

/** Kinds of policy files; each has a schema of its own. */
export const policyKinds = ['module', 'roles', 'common', 'environments', 'vars', 'stack'] as const;
export type PolicyKind = (typeof policyKinds)[number];

const sharedNames = [
  ...['name', 'module', 'role', 'environment', 'declared-role', 'declared-environment'],
  ...['value', 'when', 'variables'],
];

/** The schema of each kind of policy file, from the tables that publish itself checks with. */
export function policySchemas(): Record<PolicyKind, JsonSchema> {
  const whole = definitions();
  const shared = {
    ...Object.fromEntries(sharedNames.map((key) => [key, whole[key]!])),
    assignment: {},
  };
  const document = (title: string, schema: JsonSchema, used: JsonSchema = shared): JsonSchema => ({
    $schema: dialect,
    ...schema,
    title,
    definitions: used,
  });
  return {
    module: document('Module of Vigo policy', moduleSchema(), whole),
    roles: document('Roles of Vigo policy', rolesSchema()),
    common: document('Inherited by all entries below', overridesSchema()),
    environments: document('Environments of Vigo policy', environmentsSchema()),
    vars: document('Variables for everything', { ...variables, type: 'object' }),
    stack: document('Entries of Vigo policy', entriesSchema()),
  };
}
