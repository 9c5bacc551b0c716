import { Type } from 'typebox';
import { runStates } from '../../../actors/sink/query-rows.ts';
import { AdminError } from '../../errors.ts';
import type { Backend, Page, RunView } from '../backend.ts';
import type { EnvoyFacts, Reach } from '../policy-decision.ts';
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

function factsOf(backend: Backend, id: string, hostname: string): EnvoyFacts {
  return { id, hostname, traits: () => backend.views.traits(id) };
}

/** Of a page, what the asker may see: it may hold fewer rows than were asked for. */
function withinReach(backend: Backend, reach: Reach, page: Page<RunView>): Page<RunView> {
  if (reach.everywhere) return page;
  const seen = new Map<string, boolean>();
  const items = page.items.filter(({ envoyId, hostname }) => {
    const covered = seen.get(envoyId) ?? reach.covers(factsOf(backend, envoyId, hostname));
    seen.set(envoyId, covered);
    return covered;
  });
  return { ...page, items };
}

export const runRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/runs',
    summary: 'List runs that changed, failed or adopted a policy, newest first',
    access: 'runs.read',
    envoys: 'named',
    parameters: nothing,
    query: object({
      ...pageQuery,
      envoy: Type.Optional(
        Type.String({ maxLength: nameLengthMax, description: 'UUID or host name' }),
      ),
      state: Type.Optional(Type.Enum(runStates)),
    }),
    body: undefined,
    handle: async ({ backend, query, reach, permitEnvoy }) => {
      const { envoy, ...rest } = query;
      const filter = { ...rest, limit: query.limit ?? 100 };
      if (envoy === undefined) return withinReach(backend, reach, backend.views.runs(filter));
      const [found] = backend.views.findEnvoys(envoy);
      if (!found) throw new AdminError('API_NOT_FOUND', `envoy ${envoy}`);
      permitEnvoy(factsOf(backend, found.id, found.hostname));
      return backend.views.runs({ ...filter, envoyId: found.id });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/runs/{id}',
    summary: 'Show one run, by id or 8 and more characters of its beginning, with every result',
    access: 'runs.read',
    envoys: 'named',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, reach, permitEnvoy }) => {
      const run = backend.views.run(wholeId(backend, parameters.id.toLowerCase()));
      if (run) permitEnvoy(factsOf(backend, run.envoyId, run.hostname));
      // Who sees some envoys only is not told which runs of others there are.
      else if (!reach.everywhere) throw new AdminError('API_FORBIDDEN', `run ${parameters.id}`);
      if (!run) throw new AdminError('API_NOT_FOUND', `run ${parameters.id}`);
      return run;
    },
  }),
];
