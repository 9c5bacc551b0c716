import { Type } from 'typebox';
import { AdminError } from '../../errors.ts';
import { route } from '../route.ts';
import { idParameter, nameLengthMax, nothing, object, pageQuery } from '../schemas.ts';

export const runRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/runs',
    summary: 'List runs that changed, failed or adopted a policy, newest first',
    access: 'admin',
    parameters: nothing,
    query: object({
      ...pageQuery,
      envoy: Type.Optional(
        Type.String({ maxLength: nameLengthMax, description: 'UUID or host name' }),
      ),
      state: Type.Optional(Type.String({ maxLength: 20 })),
    }),
    body: undefined,
    handle: async ({ backend, query }) => {
      const { envoy, ...rest } = query;
      const filter = { ...rest, limit: query.limit ?? 100 };
      if (envoy === undefined) return backend.views.runs(filter);
      const [found] = backend.views.findEnvoys(envoy);
      if (!found) throw new AdminError('API_NOT_FOUND', `envoy ${envoy}`);
      return backend.views.runs({ ...filter, envoyId: found.id });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/runs/{id}',
    summary: 'Show one run with what each resource did and why',
    access: 'admin',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => {
      const run = backend.views.run(parameters.id);
      if (!run) throw new AdminError('API_NOT_FOUND', `run ${parameters.id}`);
      return run;
    },
  }),
];
