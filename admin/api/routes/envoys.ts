import { Type } from 'typebox';
import { enrollmentAddress } from '../../../actors/enrollment/messages.ts';
import { AdminError } from '../../errors.ts';
import type { Backend, EnvoyView } from '../backend.ts';
import { route } from '../route.ts';
import { idParameter, nameLengthMax, nothing, object, pageQuery } from '../schemas.ts';

const askDeadlineMs = 10_000;
const recentRuns = 10;
const envoyStates = ['converged', 'changed', 'degraded', 'failed', 'no data', 'revoked'];

function oneEnvoy(backend: Backend, nameOrId: string): EnvoyView {
  const found = backend.views.findEnvoys(nameOrId);
  const [first, second] = found;
  if (!first) throw new AdminError('API_NOT_FOUND', `envoy ${nameOrId}`);
  if (second) {
    const ids = found.map((envoy) => envoy.id);
    throw new AdminError('API_AMBIGUOUS', `${nameOrId} is ${ids.join(', ')}`, { ids });
  }
  return first;
}

export const envoyRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/envoys',
    summary: 'List envoys by host name',
    access: 'envoys.read',
    parameters: nothing,
    query: object({
      ...pageQuery,
      match: Type.Optional(Type.String({ maxLength: nameLengthMax, description: 'glob' })),
      state: Type.Optional(Type.Enum(envoyStates)),
    }),
    body: undefined,
    handle: async ({ backend, query }) =>
      backend.views.envoys({ ...query, limit: query.limit ?? 100 }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/envoys/{id}',
    summary: 'Show one envoy, by UUID or host name, with its last runs',
    access: 'envoys.read',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => {
      const envoy = oneEnvoy(backend, parameters.id);
      const runs = backend.views.runs({ envoyId: envoy.id, limit: recentRuns }).items;
      return { ...envoy, runs };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/envoys/{id}/revoke',
    summary: 'Refuse this envoy from now on and for ever',
    access: 'envoys.revoke',
    parameters: idParameter,
    query: nothing,
    body: object({ reason: Type.String({ minLength: 1, maxLength: 500 }) }),
    handle: async ({ backend, parameters, body, by }) => {
      const envoy = oneEnvoy(backend, parameters.id);
      const payload = { envoyId: envoy.id, reason: body.reason, by };
      if (!envoy.revoked) {
        await backend.ask(enrollmentAddress(), 'revokeEnvoy', payload, askDeadlineMs);
      }
      return { revoked: envoy.id, hostname: envoy.hostname };
    },
  }),
];
