import { answerComponents, answerSchema, resolveAnswer } from './answers.ts';
import { selectableFields } from './http/select-fields.ts';
import { eventsPath } from './live/request.ts';
import {
  commonHeaders,
  commonParameters,
  problemResponses,
  problemSchema,
} from './openapi-parts.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

/**
 * The OpenAPI 3.1 document of the routes (https://spec.openapis.org/oas/v3.1.0): the schemas that
 * validate what comes in, and those of answers that the types of the handlers gave.
 */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operation(route);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Vigo',
      version: '1',
      description:
        'Everything that vigocli and the dashboard do. Errors are problem documents (RFC 9457) with a stable code and a remedy. See docs/api.md.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'an API token, or a session token' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-vigo_session' },
      },
      schemas: { ...answerComponents, Problem: problemSchema },
      parameters: commonParameters,
      headers: commonHeaders,
      responses: problemResponses,
    },
  };
}

const reference = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });

function operation(route: Route): Json {
  const { access, summary, body } = route;
  const isPublic = access === 'public';
  const needs = isPublic ? '' : `Needs the permission \`${access}\``;
  const where = route.envoys === 'named' ? ', at least over some envoys.' : '.';
  return {
    operationId: operationId(route),
    tags: [tagOf(route)],
    summary,
    ...(isPublic ? {} : { description: `${needs}${where}` }),
    security: isPublic ? [] : [{ token: [] }, { session: [] }],
    parameters: parametersOf(route),
    ...(body
      ? { requestBody: { required: true, content: { 'application/json': { schema: body } } } }
      : {}),
    responses: { ...success(route), ...refusals(route) },
  };
}

function success(route: Route): Json {
  if (route.redirects === true) {
    const location = { description: 'where to go', schema: { type: 'string' } };
    return { 303: { description: 'Go there', headers: { Location: location } } };
  }
  const schema = answerSchema(route);
  const content: Json =
    route.mediaType === undefined
      ? { 'application/json': { schema: schema ?? { type: 'object' } } }
      : { [route.mediaType]: { schema: { type: 'string' } } };
  if (route.path === eventsPath) content['text/event-stream'] = { schema: { type: 'string' } };
  const isTagged = route.method === 'GET' && route.mediaType === undefined;
  const answered = {
    description: 'Done',
    headers: {
      'X-Trace-Id': reference('headers', 'TraceId'),
      'X-Request-Id': reference('headers', 'RequestId'),
      ...(isTagged ? { ETag: reference('headers', 'ETag') } : {}),
      ...(route.access === 'public' ? {} : { RateLimit: reference('headers', 'RateLimit') }),
    },
    content,
  };
  return { 200: answered };
}

function refusals(route: Route): Json {
  const { access, method, parameters, changes } = route;
  const codes = ['400', '429', '500', '503'];
  if (access !== 'public') codes.push('401', '403');
  if (Object.keys(parameters.properties).length > 0) codes.push('404', '409');
  if (method !== 'GET') codes.push('413', '415', '422');
  if (method === 'GET' && route.mediaType === undefined) codes.push('304');
  if (changes !== undefined) codes.push('412');
  const named = [...new Set(codes)].sort();
  return Object.fromEntries(named.map((code) => [code, reference('responses', `Status${code}`)]));
}

function parametersOf(route: Route): unknown[] {
  const fields = selectableFields(answerSchema(route), resolveAnswer);
  const isRead = route.method === 'GET';
  return [
    ...parametersIn('path', route.parameters),
    ...parametersIn('query', route.query),
    ...(isRead && fields.length > 0 ? [fieldsParameter(fields)] : []),
    ...(isRead && route.mediaType === undefined ? [reference('parameters', 'IfNoneMatch')] : []),
    ...(isRead || route.access === 'public' ? [] : [reference('parameters', 'IdempotencyKey')]),
    ...(route.changes === undefined ? [] : [reference('parameters', 'IfMatch')]),
  ];
}

function fieldsParameter(fields: readonly string[]): Json {
  return {
    name: 'fields',
    in: 'query',
    description: `Leave only these of the answer (of each of its items), with commas: ${fields.join(', ')}`,
    schema: { type: 'string' },
    example: fields.slice(0, 2).join(','),
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

function tagOf({ path }: Route): string {
  const [, first = '', , third] = path.split('/');
  return first === 'api' ? (third ?? first) : 'server';
}

/** "get" and the path in words: getEnvoysByIdTraits. */
function operationId({ method, path }: Route): string {
  const words = path
    .replace(/^\/api\/v1/, '')
    .split(/[/.\-_]/)
    .filter((word) => word !== '')
    .flatMap((word) => (word.startsWith('{') ? `by ${word.slice(1, -1)}` : word).split(' '));
  const title = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return method.toLowerCase() + title.replaceAll(/[{}]/g, '');
}
