import { Type } from 'typebox';
import { planAddress, rehearsalLimit } from '../../../actors/plan/messages.ts';
import { AdminError } from '../../errors.ts';
import type { Backend } from '../backend.ts';
import { route } from '../route.ts';
import { idParameter, nameLengthMax, nothing, object } from '../schemas.ts';
import { publishDeadlineMs, stackBytesMax, uploadedFiles, withUpload } from './config/shared.ts';
import { wholePlanId } from './plan-id.ts';

const targetsMax = 100;
const waitMsMax = 3_600_000;
const listMax = 50;
function fidelityOf(backend: Backend, id: string | undefined) {
  const view = id === undefined ? undefined : backend.views.plans.fidelity(id);
  if (view !== undefined) return view;
  const remedy = 'Plan before you publish: vigocli config plan, then vigocli config publish.';
  const detail = 'a plan with an outcome; what was published without a plan has no score';
  throw new AdminError('API_NOT_FOUND', detail, undefined, remedy);
}

export const planRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/config/plans',
    summary:
      'Say what the stack would change, before it is live; with live, have envoys dry-run it',
    access: 'config.plan',
    parameters: nothing,
    query: nothing,
    body: object({
      files: Type.Optional(uploadedFiles),
      live: Type.Optional(
        object({
          sample: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: rehearsalLimit,
              description: 'of each group of envoys; absent: all',
            }),
          ),
          target: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: nameLengthMax }), {
              minItems: 1,
              maxItems: targetsMax,
              description: 'globs of host names',
            }),
          ),
          waitMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: waitMsMax })),
        }),
      ),
    }),
    bodyBytesMax: stackBytesMax,
    handle: ({ backend, body: { files, ...rest }, by }) =>
      withUpload(backend, files, (at) =>
        backend.ask(planAddress(), 'create', { ...rest, ...at, by }, publishDeadlineMs),
      ),
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/plans',
    summary: 'List the plans that are kept, newest first',
    access: 'config.read',
    parameters: nothing,
    query: object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listMax })) }),
    body: undefined,
    handle: async ({ backend, query }) => ({
      items: backend.views.plans.list(query.limit ?? listMax),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/plans/{id}',
    summary: 'Show a plan, by id or 8 and more characters of its beginning, with what envoys said',
    access: 'config.read',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) =>
      backend.views.plans.plan(wholePlanId(backend, parameters.id.toLowerCase())),
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/plans/{id}/fidelity',
    summary: 'Compare what a plan predicted with what envoys did after its publish',
    access: 'config.read',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) =>
      fidelityOf(backend, wholePlanId(backend, parameters.id.toLowerCase())),
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/fidelity',
    summary: 'Compare the last plan that has an outcome with it',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend }) => fidelityOf(backend, backend.views.plans.lastCompared()),
  }),
];
