import { Type } from 'typebox';
import { publishAddress } from '../../../actors/publish/messages.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';

/** Compiling for a large fleet takes its time; the client shows that it waits. */
const publishDeadlineMs = 120_000;
const historyMax = 500;

export const configRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/config/validate',
    summary: "Check the server's stack directory; changes nothing",
    access: 'config.validate',
    parameters: nothing,
    query: nothing,
    body: object({}),
    handle: ({ backend }) => backend.ask(publishAddress(), 'validate', {}, publishDeadlineMs),
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/publish',
    summary:
      'Validate the stack, compile it and make it the policy of the fleet, or change nothing',
    access: 'config.publish',
    parameters: nothing,
    query: nothing,
    body: object({ message: Type.Optional(Type.String({ maxLength: 500 })) }),
    handle: ({ backend, body, by }) =>
      backend.ask(
        publishAddress(),
        'publish',
        { message: body.message ?? '', by },
        publishDeadlineMs,
      ),
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/history',
    summary: 'List policy versions, newest first',
    access: 'config.read',
    parameters: nothing,
    query: object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: historyMax })) }),
    body: undefined,
    handle: async ({ backend, query }) => ({
      items: backend.views.policyHistory(query.limit ?? 50),
    }),
  }),
];
