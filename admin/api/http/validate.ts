import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Convert } from 'typebox/value';
import { AdminError } from '../../errors.ts';
import { answerSchema, resolveAnswer } from '../answers.ts';
import type { EdgeRequest } from '../http-edge.ts';
import type { Route } from '../route.ts';
import { readJsonBody } from './read-body.ts';
import { selectableFields } from './select-fields.ts';
import { checkCursor } from './whole-list.ts';

const fieldErrorsMax = 20;

/** A route with what its schemas and path compile to. */
export interface CompiledRoute {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly parameters: Validator;
  readonly query: Validator;
  readonly body: Validator | undefined;
  /** What `fields=` may name. */
  readonly fields: readonly string[];
}

export function compileRoute(route: Route): CompiledRoute {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const source = route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)');
  return {
    route,
    names,
    pattern: new RegExp(`^${source}$`),
    parameters: Compile(route.parameters),
    query: Compile(route.query),
    body: route.body && Compile(route.body),
    fields: route.method === 'GET' ? selectableFields(answerSchema(route), resolveAnswer) : [],
  };
}

export function readBody(compiled: CompiledRoute, request: EdgeRequest): unknown {
  if (!compiled.body || !compiled.route.body) return undefined;
  const value = readJsonBody(request);
  if (value === undefined) return checkValues(compiled.body, compiled.route.body, {}, 'body');
  if (compiled.body.Check(value)) return value;
  throw misfit(compiled.body, value, 'body');
}

/** Text from the path and the query becomes the number or boolean that the schema asks for. */
export function checkValues(
  validator: Validator,
  schema: TSchema,
  values: unknown,
  where: string,
): unknown {
  const converted = Convert(schema, values);
  if (validator.Check(converted)) return converted;
  throw misfit(validator, converted, where);
}

/** Values of a query; one that comes twice is refused, because we and a proxy may take another one. */
export function queryValues(query: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (Object.hasOwn(values, name)) {
      throw new AdminError('API_BAD_REQUEST', `query/${name.slice(0, 100)} comes twice`);
    }
    Object.defineProperty(values, name, { value, enumerable: true, configurable: true });
  }
  checkCursor(values.cursor);
  return values;
}

function misfit(validator: Validator, value: unknown, where: string): AdminError {
  const errors = [...validator.Errors(value)].slice(0, fieldErrorsMax);
  const fields = errors
    .filter((error) => error.keyword !== 'boolean')
    .map((error) => ({
      field: `${where}${error.instancePath}`,
      problem: fieldProblem(error),
    }));
  const [first] = fields;
  return new AdminError('API_BAD_REQUEST', first && `${first.field} ${first.problem}`, { fields });
}

function fieldProblem({ params, message }: { params: object; message: string }): string {
  const words = (names: unknown) => (names as unknown[]).join(', ');
  if ('additionalProperties' in params) {
    return `has unknown fields: ${words(params.additionalProperties)}`;
  }
  return 'allowedValues' in params ? `must be one of ${words(params.allowedValues)}` : message;
}
