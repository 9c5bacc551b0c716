import { Type } from 'typebox';
import { rolloutAddress } from '../../../../actors/rollout/messages.ts';
import { route } from '../../route.ts';
import { nothing, object } from '../../schemas.ts';
import { message, publishDeadlineMs } from './shared.ts';

const orders = {
  pause: 'Hold the rollout; a failure still rolls back',
  resume: 'Let a paused rollout go on',
  abort: 'End the rollout and bring the last good version back',
  finish: 'Give the version to every envoy at once and stop watching',
} as const;

export const rolloutRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/config/rollout',
    summary: 'Show the rollout under way, or the last one, with the health of its envoys',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend }) => ({
      rollout: (await backend.ask(rolloutAddress(), 'status', {}, publishDeadlineMs)) ?? null,
    }),
  }),
  ...(Object.keys(orders) as (keyof typeof orders)[]).map((order) =>
    route({
      method: 'POST',
      path: `/api/v1/config/rollout/${order}`,
      summary: orders[order],
      access: 'rollout.control',
      parameters: nothing,
      query: nothing,
      body: object({ reason: Type.Optional(message) }),
      handle: ({ backend, body, by }) =>
        backend.ask(rolloutAddress(), order, { by, reason: body.reason ?? '' }, publishDeadlineMs),
    }),
  ),
];
