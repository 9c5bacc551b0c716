import { Type } from 'typebox';
import { auditAddress } from '../../../actors/audit/messages.ts';
import { route } from '../route.ts';
import { nameLengthMax, nothing, object, pageLimitMax } from '../schemas.ts';

const askDeadlineMs = 20_000;
const reasonLengthMax = 1000;

const logSize = (description: string) => Type.Integer({ minimum: 0, description });
const ofCheckpoint = object({
  size: Type.Optional(logSize('of a checkpoint; the newest one when absent')),
});

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
      before: Type.Optional(Type.Integer({ minimum: 1, description: 'sequence to end before' })),
      type: Type.Optional(
        Type.String({ maxLength: 100, description: 'event type, or a family: "rollout.*"' }),
      ),
      actor: Type.Optional(
        Type.String({ maxLength: nameLengthMax, description: 'who did it: "admin:alice"' }),
      ),
      subject: Type.Optional(
        Type.String({ maxLength: nameLengthMax, description: 'what it was done to' }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: pageLimitMax })),
    }),
    body: undefined,
    handle: async ({ backend, query }) =>
      backend.views.audit({
        afterSequence: query.after ?? 0,
        newest: query.newest ?? false,
        limit: query.limit ?? 100,
        ...(query.before === undefined ? {} : { beforeSequence: query.before }),
        ...(query.type === undefined ? {} : { type: query.type }),
        ...(query.actor === undefined ? {} : { actor: query.actor }),
        ...(query.subject === undefined ? {} : { subject: query.subject }),
      }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/audit/checkpoint',
    summary: 'The signed checkpoint of the audit log, with the cosignatures of its witnesses',
    access: 'audit.read',
    parameters: nothing,
    query: ofCheckpoint,
    body: undefined,
    handle: async ({ backend, query }) => backend.views.auditTree.checkpoint(query.size),
  }),
  route({
    method: 'GET',
    path: '/api/v1/audit/entries/{sequence}/proof',
    summary: 'The proof that an entry stands under a checkpoint (RFC 6962 inclusion proof)',
    access: 'audit.read',
    parameters: object({ sequence: Type.Integer({ minimum: 1 }) }),
    query: ofCheckpoint,
    body: undefined,
    handle: async ({ backend, parameters, query }) =>
      backend.views.auditTree.inclusion(parameters.sequence, query.size),
  }),
  route({
    method: 'GET',
    path: '/api/v1/audit/consistency',
    summary: 'The proof that the log of one size continues that of another (RFC 6962)',
    access: 'audit.read',
    parameters: nothing,
    query: object({ from: logSize('the older size'), to: logSize('the newer size') }),
    body: undefined,
    handle: async ({ backend, query }) => backend.views.auditTree.consistency(query.from, query.to),
  }),
  route({
    method: 'POST',
    path: '/api/v1/audit/restore-acknowledgement',
    summary: 'Say that the log was restored from a backup, so that envoys take the shorter log',
    access: 'audit.acknowledge',
    parameters: nothing,
    query: nothing,
    body: object({
      through: Type.Integer({ minimum: 1, description: 'entries that envoys have seen, at most' }),
      reason: Type.String({ minLength: 1, maxLength: reasonLengthMax }),
    }),
    handle: ({ backend, body, by }) =>
      backend.ask(auditAddress(), 'acknowledgeRestore', { ...body, by }, askDeadlineMs),
  }),
];
