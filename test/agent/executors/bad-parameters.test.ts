import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import type { AnyResourceType } from '../../../agent/executors/contract.ts';
import { resourceTypes } from '../../../agent/executors/registry.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import type { ResourceSchema } from '../../../agent/policy/resource-schemas/schema.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';

type Parameters = Record<string, PolicyValue>;

const unsafe = ['/a\nb', '/a\0b'];
const wrong: readonly PolicyValue[] = [
  ...unsafe,
  'a\nb',
  'a\rb',
  { nested: 1 },
  [['deep']],
  null,
  -1,
  1e300,
  'x'.repeat(100_000),
];
/** Of the stack, not of a type. */
const general = ['type', 'when', 'depends_on', 'before', 'notify', 'subscribes', 'foreach'];

/** The first example of the reference that a type parses as it stands. */
function exampleOf(schema: ResourceSchema, type: AnyResourceType): Parameters | undefined {
  const known = new Set(schema.parameters.map(({ name }) => name));
  for (const { resources } of schema.examples ?? [])
    for (const resource of resources.filter((one) => one.type === schema.name)) {
      const entries = Object.entries(resource).filter(([name]) => {
        return known.has(name) || !(name === 'name' || general.includes(name));
      });
      const parameters = Object.fromEntries(entries);
      if (failure(type, parameters) === undefined) return parameters;
    }
  return undefined;
}

/** What parsing throws; also what naming the targets does. */
function failure(type: AnyResourceType, parameters: Parameters): unknown {
  try {
    type.targets(type.parse(parameters));
    resourceSchemas.get(type.name)?.targets(parameters);
    return undefined;
  } catch (error) {
    return error;
  }
}

t.test(
  'whatever a parameter holds, it is taken or refused with its name and a remedy',
  async (t) => {
    for (const [name, schema] of resourceSchemas) {
      const type = resourceTypes.get(name)!;
      const good = exampleOf(schema, type);
      if (good === undefined) {
        t.fail(`${name} has no example that parses`);
        continue;
      }
      const surprises: string[] = [];
      for (const parameter of schema.parameters)
        for (const value of wrong) {
          const error = failure(type, { ...good, [parameter.name]: value });
          const what = `${parameter.name}: ${JSON.stringify(value).slice(0, 20)}`;
          const isUnsafe = typeof value === 'string' && unsafe.includes(value);
          if (error === undefined && parameter.kind === 'path' && isUnsafe) surprises.push(what);
          if (error === undefined) continue;
          const coded = error instanceof AgentError && error.code === 'POLICY_PARAMETER_INVALID';
          const named = coded && /: \w+: ./.test(error.message) && error.remedy !== '';
          if (!named) surprises.push(`${what}: ${String(error).slice(0, 100)}`);
        }
      t.same(surprises, [], name);
      const required = schema.parameters.filter((one) => one.required === true);
      for (const parameter of required) {
        const { [parameter.name]: _, ...rest } = good;
        t.match(failure(type, rest), { code: 'POLICY_PARAMETER_INVALID' }, `${name} without it`);
      }
    }
  },
);
