import { Type } from 'typebox';
import { runStates } from '../../../actors/sink/query-rows.ts';
import { AdminError } from '../../errors.ts';
import type { Backend } from '../backend.ts';
import { route } from '../route.ts';
import { idParameter, nameLengthMax, nothing, object, pageQuery } from '../schemas.ts';

/** Runs have long ids; a beginning that only one has will do. */
const idPrefix = /^[0-9a-f]{8}[0-9a-f-]{0,27}$/;
const ambiguousIdsMax = 10;

function wholeId(backend: Backend, id: string): string {
  if (!idPrefix.test(id)) return id;
  const ids = backend.views.runIds(id, ambiguousIdsMax);
  if (ids.length > 1) throw new AdminError('API_AMBIGUOUS', `${id} is ${ids.join(', ')}`, { ids });
  return ids[0] ?? id;
}

export const runRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/runs',
    summary: 'List runs that changed, failed or adopted a policy, newest first',
    access: 'runs.read',
    parameters: nothing,
    query: object({
      ...pageQuery,
      envoy: Type.Optional(
        Type.String({ maxLength: nameLengthMax, description: 'UUID or host name' }),
      ),
      state: Type.Optional(Type.Enum(runStates)),
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
    summary: 'Show one run, by id or 8 and more characters of its beginning, with every result',
    access: 'runs.read',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => {
      const run = backend.views.run(wholeId(backend, parameters.id.toLowerCase()));
      if (!run) throw new AdminError('API_NOT_FOUND', `run ${parameters.id}`);
      return run;
    },
  }),
];
