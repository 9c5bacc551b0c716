import { type JsonSchema, reference } from './json-schema.ts';

export const scalar = { type: ['string', 'number', 'boolean'] };
export function names(definition: string, description: string): JsonSchema {
  const one = reference(definition);
  return { description, anyOf: [one, { type: 'array', items: one }, { type: 'null' }] };
}

export const variables: JsonSchema = {
  type: ['object', 'null'],
  description: 'Variables, read as {{ .Vars.name }}.',
  propertyNames: reference('name'),
  additionalProperties: reference('value'),
};

export const conditionalVariables: JsonSchema = {
  description: 'Variables that only hold where a condition does.',
  type: ['array', 'object', 'null'],
  items: {
    type: 'object',
    required: ['when', 'vars'],
    properties: { when: { allOf: [reference('when')] }, vars: variables },
    additionalProperties: false,
  },
};

export function object(title: string, properties: JsonSchema, rest: JsonSchema = {}): JsonSchema {
  return { title, type: 'object', properties, additionalProperties: false, ...rest };
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}
