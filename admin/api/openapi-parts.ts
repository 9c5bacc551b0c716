import { STATUS_CODES } from 'node:http';
import { adminErrorRegistry } from '../errors.ts';

/** RFC 9457 problem details with our members. */
export const problemSchema = {
  type: 'object',
  description: 'RFC 9457 problem details',
  required: ['type', 'title', 'status', 'code', 'detail', 'remedy', 'traceId'],
  properties: {
    type: { type: 'string', format: 'uri', examples: ['urn:vigo:error:API_NOT_FOUND'] },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: {
      type: 'string',
      description: 'stable; docs/errors.md lists all',
      examples: Object.keys(adminErrorRegistry),
    },
    detail: { type: 'string', description: 'what happened, for people' },
    remedy: { type: 'string', description: 'what to do about it' },
    traceId: { type: 'string', description: 'to find the request in the log of the server' },
    details: { description: 'more for programs, by code' },
  },
};

export const commonParameters = {
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'ETag of an answer that you have: 304 when it is still the same',
    schema: { type: 'string' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'ETag of what you read before: 412 when it was changed meanwhile',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'a name of your own for this write: repeated with it, the write is not done twice, and is answered alike for a day',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
    example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
  },
};

export const commonHeaders = {
  ETag: { description: 'entity tag of the answer', schema: { type: 'string' } },
  TraceId: { description: 'W3C trace id of the request', schema: { type: 'string' } },
  RequestId: {
    description: 'your X-Request-Id, or the trace id',
    schema: { type: 'string' },
  },
  RateLimit: {
    description: 'what is left of the limit (draft-ietf-httpapi-ratelimit-headers)',
    schema: { type: 'string' },
    example: '"principal";r=499;t=1',
  },
  RetryAfter: { description: 'seconds to wait', schema: { type: 'integer', minimum: 1 } },
};

const meanings: Readonly<Record<string, string>> = {
  400: 'The request does not fit its schema',
  401: 'No credential, or none that is valid',
  403: 'The credential may not do that',
  404: 'There is no such thing',
  409: 'More than one has that name, or its state does not allow it',
  410: 'It is no longer kept',
  412: 'It was changed since it was read',
  413: 'The body is too large',
  415: 'The body is no plain JSON',
  422: 'It was understood, and refused for its content',
  429: 'Too many requests',
  500: 'The server failed to answer',
  503: 'A part of the server is busy or away',
};

/** By name: Status400 and so on; 304 has no body. */
export const problemResponses: Readonly<Record<string, unknown>> = {
  Status304: { description: STATUS_CODES[304] ?? '' },
  ...Object.fromEntries(
    Object.entries(meanings).map(([status, description]) => [
      `Status${status}`,
      {
        description,
        ...(status === '429' || status === '503'
          ? { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } }
          : {}),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            example: exampleOf(Number(status)),
          },
        },
      },
    ]),
  ),
};

function exampleOf(status: number): Record<string, unknown> {
  const [code, entry] = Object.entries(adminErrorRegistry).find(
    ([name, { httpStatus }]) => httpStatus === status && !name.startsWith('CLI_'),
  ) ?? ['PUBLISH_INVALID', { message: 'the stack is not valid', remedy: 'repair what is named' }];
  return {
    type: `urn:vigo:error:${code}`,
    title: code.toLowerCase().replaceAll('_', ' '),
    status,
    code,
    detail: entry.message,
    remedy: entry.remedy,
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  };
}
