/** A JSON Schema of draft 7, the newest one that all versions of yaml-language-server read alike. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export const dialect = 'http://json-schema.org/draft-07/schema#';

export function reference(definition: string): JsonSchema {
  return { $ref: `#/definitions/${definition}` };
}

/** Turns text into a regular expression that matches it and nothing else. */
export function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&').replace(/\\([-/])/g, '$1');
}

/** `then` is a keyword of JSON Schema; an object with it is no promise here. */
export function conditional(condition: JsonSchema, consequence: JsonSchema): JsonSchema {
  return Object.fromEntries([
    ['if', condition],
    ['then', consequence],
  ]);
}

export function matching(pattern: string, message: string): JsonSchema {
  return { pattern, patternErrorMessage: message };
}

/** Fails with the message, whatever the value is: nothing equals it. */
export function refused(message: string): JsonSchema {
  return { const: message, errorMessage: message };
}

/** Fails with the message when the value is as `condition` says. */
export function never(condition: JsonSchema, message: string): JsonSchema {
  return conditional(condition, refused(message));
}

/** Fails with the message unless one of the schemas holds. */
export function oneOfThem(schemas: readonly JsonSchema[], message: string): JsonSchema {
  return never({ not: { anyOf: schemas } }, message);
}
