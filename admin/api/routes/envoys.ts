import { Type } from 'typebox';
import { enrollmentAddress } from '../../../actors/enrollment/messages.ts';
import { envoyStates, revokedState } from '../../../actors/envoy/states.ts';
import { fleetAddress } from '../../../actors/fleet/messages.ts';
import { selectorLengthMax } from '../../../actors/selector/selector.ts';
import type { EnvoyFilter } from '../../../actors/sink/queries.ts';
import { AdminError } from '../../errors.ts';
import type { Backend, EnvoyView } from '../backend.ts';
import type { EnvoyFacts } from '../policy-decision.ts';
import { route } from '../route.ts';
import { idParameter, nothing, object, pageQuery } from '../schemas.ts';
import { selectorOf, withinReach } from '../selectors.ts';

const askDeadlineMs = 10_000;
const anyState = [...envoyStates, revokedState];
export const envoySorts = [
  'hostname',
  'state',
  'since',
  'seen',
  'policy',
  'agent',
  'os',
  'enrolled',
  'certificate',
] as const satisfies readonly NonNullable<EnvoyFilter['sort']>[];

/** What a list of envoys takes beside its page, and a saved view keeps. */
export const envoyListQuery = {
  selector: Type.Optional(
    Type.String({
      maxLength: selectorLengthMax,
      description: 'host name, glob, UUID or trait filter (os.family=debian); a comma means and',
    }),
  ),
  state: Type.Optional(Type.Enum(anyState)),
  sort: Type.Optional(Type.Enum(envoySorts)),
  order: Type.Optional(Type.Enum(['asc', 'desc'])),
};

const reason = Type.String({ minLength: 1, maxLength: 500 });

/** The one envoy of this name that the asker may see. Throws API_NOT_FOUND, API_AMBIGUOUS. */
export function oneEnvoy(
  backend: Backend,
  nameOrId: string,
  permit: (facts: EnvoyFacts) => void,
): EnvoyView {
  const found = backend.views.findEnvoys(nameOrId);
  const [first, second] = found;
  if (!first) throw new AdminError('API_NOT_FOUND', `envoy ${nameOrId}`);
  for (const { id, hostname } of found) {
    permit({ id, hostname, traits: () => backend.views.traits(id) });
  }
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
    summary: 'List envoys: those that a selector means, in any order, with counts by state',
    access: 'envoys.read',
    envoys: 'named',
    parameters: nothing,
    query: object({
      ...pageQuery,
      ...envoyListQuery,
      maintenance: Type.Optional(
        Type.Boolean({ description: 'only envoys in maintenance, or only the others' }),
      ),
    }),
    body: undefined,
    handle: async ({ backend, query, reach }) => {
      const { selector, ...rest } = query;
      const within = withinReach(reach);
      return backend.views.envoys({
        ...rest,
        limit: query.limit ?? 100,
        ...(selector === undefined ? {} : { selector: selectorOf(selector) }),
        ...(within === undefined ? {} : { within }),
      });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/envoys/{id}',
    summary: 'Show one envoy, by UUID or host name, with its last runs and changes of state',
    access: 'envoys.read',
    envoys: 'named',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, permitEnvoy }) =>
      backend.views.fleet.detail(oneEnvoy(backend, parameters.id, permitEnvoy)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/envoys/{id}/history',
    summary: 'List the changes of an envoy’s state, newest first',
    access: 'envoys.read',
    envoys: 'named',
    parameters: idParameter,
    query: object(pageQuery),
    body: undefined,
    handle: async ({ backend, parameters, query, permitEnvoy }) => {
      const { id } = oneEnvoy(backend, parameters.id, permitEnvoy);
      return backend.views.fleet.history(id, query.limit ?? 100, query.cursor);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/envoys/{id}/traits',
    summary: 'Show what an envoy told of itself',
    access: 'envoys.read',
    envoys: 'named',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, permitEnvoy }) => {
      const envoy = oneEnvoy(backend, parameters.id, permitEnvoy);
      const traits = backend.views.fleet.traits(envoy);
      if (!traits) throw new AdminError('API_NOT_FOUND', `traits of ${envoy.hostname}`);
      return traits;
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/envoys/{id}/resources',
    summary: 'Show the present state of each resource that an envoy told of',
    access: 'envoys.read',
    envoys: 'named',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, permitEnvoy }) =>
      backend.views.fleet.resources(oneEnvoy(backend, parameters.id, permitEnvoy).id),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/envoys/{id}/maintenance',
    summary: 'Begin work on a machine: it converges as ever, and raises no alarm',
    access: 'envoys.maintain',
    envoys: 'named',
    parameters: idParameter,
    query: nothing,
    body: object({ reason }),
    handle: async ({ backend, parameters, body, by, permitEnvoy }) => {
      const { id: envoyId, hostname } = oneEnvoy(backend, parameters.id, permitEnvoy);
      const payload = { envoyId, on: true, reason: body.reason, by };
      await backend.ask(fleetAddress(), 'maintenance', payload, askDeadlineMs);
      return { id: envoyId, hostname, maintenance: true };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/envoys/{id}/maintenance',
    summary: 'End the work on a machine',
    access: 'envoys.maintain',
    envoys: 'named',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, by, permitEnvoy }) => {
      const { id: envoyId, hostname } = oneEnvoy(backend, parameters.id, permitEnvoy);
      const payload = { envoyId, on: false, reason: '', by };
      await backend.ask(fleetAddress(), 'maintenance', payload, askDeadlineMs);
      return { id: envoyId, hostname, maintenance: false };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/envoys/{id}/revoke',
    summary: 'Refuse this envoy from now on and for ever',
    access: 'envoys.revoke',
    envoys: 'named',
    parameters: idParameter,
    query: nothing,
    body: object({ reason }),
    handle: async ({ backend, parameters, body, by, permitEnvoy }) => {
      const envoy = oneEnvoy(backend, parameters.id, permitEnvoy);
      const payload = { envoyId: envoy.id, reason: body.reason, by };
      if (!envoy.revoked) {
        await backend.ask(enrollmentAddress(), 'revokeEnvoy', payload, askDeadlineMs);
      }
      return { revoked: envoy.id, hostname: envoy.hostname };
    },
  }),
];
