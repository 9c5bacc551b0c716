import { Type } from 'typebox';
import { publishQueryAddress } from '../../../../actors/publish/messages.ts';
import { AdminError } from '../../../errors.ts';
import { pageOfAll, wholeListQuery } from '../../http/whole-list.ts';
import { route } from '../../route.ts';
import { nothing, object } from '../../schemas.ts';
import { askDeadlineMs, publishDeadlineMs, stackReference, toReference } from './shared.ts';

const historyMax = 500;

export const historyRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/config/status',
    summary: 'Show the live version, a candidate, a freeze and the rollout',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: ({ backend }) => backend.ask(publishQueryAddress(), 'status', {}, askDeadlineMs),
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/version',
    summary: 'Show the number of the live version; 0 before the first one',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend }) => {
      const { version } = await backend.ask(publishQueryAddress(), 'status', {}, askDeadlineMs);
      return { version };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/history',
    summary: 'List policy versions, newest first',
    access: 'config.read',
    parameters: nothing,
    query: object(wholeListQuery),
    body: undefined,
    handle: async ({ backend, query }) => {
      const { limit = 50, cursor } = query;
      const versions = backend.views.policyHistory(historyMax);
      return pageOfAll(versions, { limit, cursor }, ({ version }) => String(version));
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/versions/{version}',
    summary: 'Show one version: who, when, why, how it was decided',
    access: 'config.read',
    parameters: object({ version: Type.Integer({ minimum: 1 }) }),
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => {
      const found = backend.views.policyVersion(parameters.version);
      if (!found) throw new AdminError('API_NOT_FOUND', `version ${parameters.version}`);
      return found;
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/files',
    summary: 'Read the files of a version, of the stack directory or of the candidate',
    access: 'config.read',
    parameters: nothing,
    query: object({ of: Type.Optional(stackReference) }),
    body: undefined,
    handle: ({ backend, query }) =>
      backend.ask(
        publishQueryAddress(),
        'files',
        { of: toReference(query.of ?? 'live') },
        publishDeadlineMs,
      ),
  }),
  route({
    method: 'GET',
    path: '/api/v1/config/diff',
    summary: 'Compare two stacks: files, and what each group of envoys would get',
    access: 'config.read',
    parameters: nothing,
    query: object({ from: Type.Optional(stackReference), to: Type.Optional(stackReference) }),
    body: undefined,
    handle: ({ backend, query }) =>
      backend.ask(
        publishQueryAddress(),
        'diff',
        { from: toReference(query.from ?? 'live'), to: toReference(query.to ?? 'stack') },
        publishDeadlineMs,
      ),
  }),
];
