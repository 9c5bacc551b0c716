import { adminErrorRegistry } from '../errors.ts';
import type { Route } from './route.ts';

/** The OpenAPI 3.1 document of the routes (https://spec.openapis.org/oas/v3.1.0). */
export function openApiDocument(routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operation(route);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Vigo', version: '1', license: { name: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: problemSchema },
    },
  };
}

const problemSchema = {
  type: 'object',
  description: 'RFC 9457 problem details',
  required: ['type', 'title', 'status', 'code', 'detail', 'remedy', 'traceId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', examples: Object.keys(adminErrorRegistry) },
    detail: { type: 'string' },
    remedy: { type: 'string' },
    traceId: { type: 'string' },
    details: {},
  },
};

function operation(route: Route): Record<string, unknown> {
  const problem = {
    description: 'A coded refusal',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  return {
    summary: route.summary,
    ...(route.access === 'public' ? {} : { description: `Needs ${route.access}` }),
    security: route.access === 'public' ? [] : [{ token: [] }],
    parameters: [...parametersIn('path', route.parameters), ...parametersIn('query', route.query)],
    ...(route.body
      ? { requestBody: { content: { 'application/json': { schema: route.body } } } }
      : {}),
    responses: {
      200: {
        description: 'Done',
        content:
          route.mediaType === undefined
            ? { 'application/json': { schema: {} } }
            : { [route.mediaType]: { schema: { type: 'string' } } },
      },
      default: problem,
    },
  };
}

function parametersIn(
  place: 'path' | 'query',
  schema: { properties: Record<string, unknown>; required?: string[] },
): unknown[] {
  return Object.entries(schema.properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || (schema.required ?? []).includes(name),
    schema: property,
  }));
}
