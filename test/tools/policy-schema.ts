import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { resourceSchemas } from '../../agent/policy/resource-schemas/registry.ts';
import type { ParameterSpec, ResourceSchema } from '../../agent/policy/resource-schemas/schema.ts';

/** Where the JSON Schemas for editors stand; the modeline of a policy file points here. */
export const schemaDirectory = new URL('../../docs/schema/', import.meta.url);

type Json = Record<string, unknown>;

const text = { type: ['string', 'number', 'boolean'] };
const names = { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] };
const vars = { type: ['object', 'null'] };
const assignment = { roles: names, modules: names, exclude_modules: names, vars };

const common = {
  name: { ...text, description: 'Unique in its module.' },
  type: { enum: [...resourceSchemas.keys()] },
  when: { type: 'string', description: "A condition, such as os_family('debian')." },
  depends_on: { ...names, description: 'Runs after these have succeeded.' },
  before: { ...names, description: 'Runs before these.' },
  notify: { ...names, description: 'Triggers these, which wait with when: "changed".' },
  subscribes: { ...names, description: 'Is triggered by these.' },
  foreach: { type: 'string', description: 'A variable with a list; each element is .Item.' },
  case: { type: 'string', description: 'A template whose value picks one of match.' },
  match: { type: 'object', additionalProperties: { type: 'object' } },
};

function parameter(spec: ParameterSpec): Json {
  const kinds: Record<ParameterSpec['kind'], Json> = {
    string: text,
    boolean: { type: ['boolean', 'string'] },
    integer: { type: ['integer', 'string'] },
    path: { type: 'string', pattern: '^(/|.*\\{\\{|secret:)' },
    mode: { type: ['string', 'integer'] },
    list: { anyOf: [text, { type: 'array', items: text }] },
    map: { type: 'object' },
    enum: { anyOf: [{ enum: spec.values }, { type: 'string', pattern: '\\{\\{' }] },
  };
  const value = spec.default === undefined ? {} : { default: spec.default };
  return { ...kinds[spec.kind], ...value, description: spec.description };
}

function resource(schema: ResourceSchema): Json {
  const own = schema.parameters.map((spec) => [spec.name, parameter(spec)] as const);
  return {
    if: { properties: { type: { const: schema.name } }, required: ['type'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: {
      properties: { ...common, ...Object.fromEntries(own) },
      additionalProperties: false,
    },
  };
}

function object(title: string, properties: Json, rest: Json = {}): Json {
  return { title, type: 'object', properties, additionalProperties: false, ...rest };
}

const list = (items: Json): Json => ({ type: 'array', items });
const dialect = { $schema: 'https://json-schema.org/draft/2020-12/schema' };

function entry(): Json {
  const properties = { match: names, environment: { type: 'string' }, ...assignment };
  return object('Entry', properties, { required: ['match'] });
}

/** File name -> JSON Schema, made from the tables that publish itself checks with. */
export function policySchemas(): Record<string, Json> {
  const role = object('Role', {
    name: text,
    description: text,
    modules: names,
    configcrates: names,
  });
  const overrides = object('Overrides', assignment);
  const module = object('Module', {
    name: text,
    configcrate: text,
    description: text,
    depends_on: names,
    when: { type: 'string' },
    defaults: { type: 'object', description: 'Parameters for every resource that has them.' },
    vars,
    environment_overrides: { type: 'object', additionalProperties: object('Vars', { vars }) },
    compliance: { type: 'object' },
    resources: list({
      type: 'object',
      required: ['type'],
      properties: { type: common.type },
      allOf: [...resourceSchemas.values()].map(resource),
    }),
  });
  const leaf = object('Entries', { envoys: list(entry()), nodes: list(entry()) });
  return {
    'module.json': { ...dialect, ...module },
    'roles.json': { ...dialect, anyOf: [object('Roles', { roles: list(role) }), list(role), role] },
    'common.json': { ...dialect, ...overrides, title: 'Inherited by all entries below' },
    'environments.json': {
      ...dialect,
      ...object('Environments', { env: { type: 'object', additionalProperties: overrides } }),
    },
    'stack.json': { ...dialect, anyOf: [leaf, entry(), list(entry())] },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(schemaDirectory, { recursive: true });
  for (const [name, schema] of Object.entries(policySchemas())) {
    const text = `${JSON.stringify(schema, null, 2)}\n`;
    writeFileSync(new URL(name, schemaDirectory), text);
  }
}
