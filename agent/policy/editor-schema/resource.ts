import type { ParameterSpec, ResourceSchema } from '../resource-schemas/schema.ts';
import { conditional, type JsonSchema, never, oneOfThem, reference } from './json-schema.ts';
import { parameterSchema } from './parameter.ts';
import { deferred } from './texts.ts';

/** The definitions of one resource type: what it may have, and what it needs. */
export function resourceDefinitions(
  schema: ResourceSchema,
  common: Readonly<Record<string, JsonSchema>>,
): Record<string, JsonSchema> {
  const own = Object.fromEntries(
    schema.parameters.map((spec) => [spec.name, declared(spec, schema)]),
  );
  const overrides = `${schema.name}-parameters`;
  const match: JsonSchema = {
    type: 'object',
    description: 'What each value of `case` changes.',
    additionalProperties: reference(overrides),
  };
  return {
    [overrides]: { type: 'object', properties: own, additionalProperties: false },
    [schema.name]: {
      type: 'object',
      description: schema.summary ?? `A resource of type ${schema.name}.`,
      properties: { ...common, match, ...own },
      additionalProperties: false,
    },
    [`${schema.name}-needs`]: { allOf: needs(schema) },
  };
}

const probe = '/vigo-editor-schema-probe';

function declared(spec: ParameterSpec, schema: ResourceSchema): JsonSchema {
  const property = parameterSchema(spec);
  if (spec.name === 'source') {
    return { ...property, allOf: [...(property.allOf as []), reference('template-file')] };
  }
  const targets = schema.targets({ [spec.name]: probe });
  const kinds = targets.filter(({ value }) => value === probe).map(({ kind }) => kind);
  const guards = [
    ...(kinds.includes('path') ? [reference('unprotected')] : []),
    ...(kinds.includes('command') ? [reference('harmless')] : []),
  ];
  return { ...property, allOf: [...(property.allOf as []), ...guards] };
}

/** All the names of a group, each by itself: which one is missing is then in the message. */
function needs(schema: ResourceSchema): JsonSchema[] {
  const { parameters, requiredUnlessAbsent, requires, oneOf, exclusive } = schema;
  const required = parameters.filter((spec) => spec.required).map(({ name }) => name);
  return [
    ...(required.length === 0 ? [] : [{ required }]),
    ...(requiredUnlessAbsent === undefined
      ? []
      : [unlessState(['absent'], { required: requiredUnlessAbsent })]),
    ...(requires ?? []).map(({ when, needs: required }) => {
      const spec = parameters.find(({ name }) => name === when.parameter);
      return conditional(has(when.parameter, when.values, spec?.default), { required });
    }),
    ...(oneOf ?? []).map((group) =>
      oneOfThem(
        group.map((name) => ({ required: [name] })),
        `Give ${group.join(' or ')}.`,
      ),
    ),
    ...(exclusive ?? []).flatMap(excludeEachOther),
    ...triggers(schema),
  ];
}

function has(name: string, values: readonly string[], standard: unknown): JsonSchema {
  const isStandard = standard !== undefined && values.includes(String(standard));
  const property = { [name]: { enum: values } };
  return isStandard ? { properties: property } : { properties: property, required: [name] };
}

function unlessState(states: readonly string[], then: JsonSchema): JsonSchema {
  const skipped = { anyOf: [{ enum: states }, { type: 'string', pattern: deferred }] };
  const skip = { properties: { state: skipped }, required: ['state'] };
  return conditional({ not: skip }, then);
}

function excludeEachOther(group: readonly string[]): JsonSchema[] {
  return group.flatMap((first, index) =>
    group
      .slice(index + 1)
      .map((second) =>
        never({ required: [first, second] }, `Give ${first} or ${second}, not both.`),
      ),
  );
}

/** What acts on every pass must be held back by a guard or wait for a change. */
function triggers({ oneShotStates, guards, name }: ResourceSchema): JsonSchema[] {
  const waits = {
    required: ['when'],
    properties: { when: { type: 'string', pattern: '\\bchanged\\b|\\{\\{' } },
  };
  const subscribes = { required: ['subscribes'] };
  const oneShot =
    oneShotStates === undefined
      ? []
      : [
          conditional(
            has('state', oneShotStates, undefined),
            oneOfThem(
              [subscribes, waits],
              'It would act on every pass: add when: "changed" or subscribes.',
            ),
          ),
        ];
  const guarded =
    guards === undefined
      ? []
      : [
          oneOfThem(
            [...guards, 'when', 'subscribes'].map((guard) => ({ required: [guard] })),
            `${name} would run on every pass: add ${guards.join(', ')} or when.`,
          ),
        ];
  return [...oneShot, ...guarded];
}
