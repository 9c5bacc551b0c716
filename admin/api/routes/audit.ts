import { Type } from 'typebox';
import { route } from '../route.ts';
import { nothing, object, pageLimitMax } from '../schemas.ts';

export const auditRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/audit',
    summary: 'Read the audit log in order, with the hashes of its chain',
    access: 'audit.read',
    parameters: nothing,
    query: object({
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'sequence to start behind' })),
      newest: Type.Optional(Type.Boolean({ description: 'the last entries instead of the first' })),
      type: Type.Optional(Type.String({ maxLength: 100, description: 'event type' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: pageLimitMax })),
    }),
    body: undefined,
    handle: async ({ backend, query }) =>
      backend.views.audit({
        afterSequence: query.after ?? 0,
        newest: query.newest ?? false,
        limit: query.limit ?? 100,
        ...(query.type === undefined ? {} : { type: query.type }),
      }),
  }),
];
