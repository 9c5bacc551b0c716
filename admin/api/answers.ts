import { readFileSync } from 'node:fs';
import type { Route } from './route.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Written by test/tools/answer-schemas.ts from the types of the handlers. */
const read = JSON.parse(readFileSync(new URL('gen/answers.json', import.meta.url), 'utf8')) as {
  readonly answers: Record<string, Schema>;
  readonly schemas: Record<string, Schema>;
};

/** The schemas that answers refer to as "#/components/schemas/<name>". */
export const answerComponents: Readonly<Record<string, Schema>> = read.schemas;

/** The JSON Schema of what a route answers with; undefined when it is no JSON or is not known. */
export function answerSchema(
  route: Pick<Route, 'method' | 'path' | 'mediaType' | 'answer'>,
): Schema | undefined {
  if (route.mediaType !== undefined) return undefined;
  if (route.answer !== undefined) return route.answer as unknown as Schema;
  const found = read.answers[`${route.method} ${route.path}`];
  return found === undefined || Object.keys(found).length === 0 ? undefined : found;
}

/** With a reference to a component replaced by that component. */
export function resolveAnswer(schema: unknown): unknown {
  const { $ref: reference } = (schema ?? {}) as { $ref?: string };
  const name = reference?.split('/').at(-1);
  return name === undefined ? schema : answerComponents[name];
}
