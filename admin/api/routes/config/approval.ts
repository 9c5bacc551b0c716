import { Type } from 'typebox';
import { publishAddress, publishQueryAddress } from '../../../../actors/publish/messages.ts';
import { AdminError } from '../../../errors.ts';
import type { Backend } from '../../backend.ts';
import { isAllowed } from '../../permissions.ts';
import { route } from '../../route.ts';
import { nothing, object } from '../../schemas.ts';
import { askDeadlineMs, contentHash, message, publishDeadlineMs, reason } from './shared.ts';

const freezeMsMax = 366 * 24 * 3600 * 1000;
/** A time of this century; a smaller number is seconds by mistake. */
const untilMsMin = 1_000_000_000_000;

async function candidates(backend: Backend) {
  const status = await backend.ask(publishQueryAddress(), 'status', {}, askDeadlineMs);
  return status.candidate === undefined ? [] : [status.candidate];
}

export const approvalRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/config/candidates',
    summary: 'List what waits for a second administrator',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend }) => ({ items: await candidates(backend) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/approve',
    changes: '/api/v1/config/candidates',
    summary: 'Put a candidate in force; it must be the very content, of another author',
    access: 'config.approve',
    parameters: nothing,
    query: nothing,
    body: object({ contentHash, reason: Type.Optional(message) }),
    handle: ({ backend, body, by }) =>
      backend.ask(
        publishAddress(),
        'approve',
        { contentHash: body.contentHash, reason: body.reason ?? '', by },
        publishDeadlineMs,
      ),
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/reject',
    changes: '/api/v1/config/candidates',
    summary: 'Drop a candidate; its author may take it back, others need the right to approve',
    access: 'config.publish',
    parameters: nothing,
    query: nothing,
    body: object({ contentHash, reason }),
    handle: async ({ backend, body, by, asker }) => {
      const found = (await candidates(backend)).find(
        (candidate) => candidate.contentHash === body.contentHash,
      );
      if (found?.author !== by && !isAllowed(asker.role, 'config.approve')) {
        const detail = `${by} is ${asker.role}, and is not the author`;
        throw new AdminError('API_FORBIDDEN', detail, { permission: 'config.approve' });
      }
      return await backend.ask(publishAddress(), 'reject', { ...body, by }, askDeadlineMs);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/freeze',
    changes: '/api/v1/config/version',
    summary: 'Refuse every publish until a time, or until it is lifted',
    access: 'config.freeze',
    parameters: nothing,
    query: nothing,
    body: object({
      reason,
      untilMs: Type.Optional(Type.Integer({ minimum: untilMsMin })),
      forMs: Type.Optional(Type.Integer({ minimum: 1000, maximum: freezeMsMax })),
    }),
    handle: async ({ backend, body, by }) => {
      const { forMs } = body;
      const untilMs = forMs === undefined ? body.untilMs : backend.nowMs() + forMs;
      const payload = { reason: body.reason, by, ...(untilMs === undefined ? {} : { untilMs }) };
      return await backend.ask(publishAddress(), 'freeze', payload, askDeadlineMs);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/unfreeze',
    changes: '/api/v1/config/version',
    summary: 'Lift the freeze',
    access: 'config.unfreeze',
    parameters: nothing,
    query: nothing,
    body: object({ reason }),
    handle: ({ backend, body, by }) =>
      backend.ask(publishAddress(), 'unfreeze', { ...body, by }, askDeadlineMs),
  }),
];
