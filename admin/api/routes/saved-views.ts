import { Type } from 'typebox';
import { fleetAddress } from '../../../actors/fleet/messages.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';
import { selectorOf } from '../selectors.ts';
import { envoyListQuery } from './envoys.ts';

const askDeadlineMs = 10_000;
const viewNameMax = 80;

const nameParameter = object({ name: Type.String({ minLength: 1, maxLength: viewNameMax }) });

/** Lists of envoys that somebody wants to come back to; each account has its own. */
export const savedViewRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/views',
    summary: 'List your saved views of the envoy list',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend, by }) => ({ items: backend.views.fleet.savedViews(by) }),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/views/{name}',
    summary: 'Save a view of the envoy list; replaces one of the same name',
    access: 'access.self',
    parameters: nameParameter,
    query: nothing,
    body: object(envoyListQuery),
    handle: async ({ backend, parameters, body, by }) => {
      if (body.selector !== undefined) selectorOf(body.selector);
      const payload = { owner: by, name: parameters.name, query: body };
      const { changedAtMs } = await backend.ask(fleetAddress(), 'saveView', payload, askDeadlineMs);
      return { name: parameters.name, query: body, changedAtMs };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/views/{name}',
    summary: 'Remove a saved view',
    access: 'access.self',
    parameters: nameParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, by }) => {
      const payload = { owner: by, name: parameters.name };
      await backend.ask(fleetAddress(), 'removeView', payload, askDeadlineMs);
      return { removed: parameters.name };
    },
  }),
];
