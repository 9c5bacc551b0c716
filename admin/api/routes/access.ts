import { Type } from 'typebox';
import { accessAddress } from '../../../actors/access/messages.ts';
import { AdminError } from '../../errors.ts';
import { refuseBeyondOwn } from '../hand-out.ts';
import { pageOfAll, wholeListQuery } from '../http/whole-list.ts';
import { allPermissions, roles } from '../permissions.ts';
import { route } from '../route.ts';
import { idParameter, nameLengthMax, nothing, object } from '../schemas.ts';
import { whoIs } from './session.ts';

const askDeadlineMs = 10_000;
const tokenLifeMsMax = 10 * 366 * 24 * 3600 * 1000;

export const accessRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/auth/whoami',
    summary: 'Show whose token this is, its role and what the role may do',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ asker, backend }) => whoIs(asker, backend),
  }),
  route({
    method: 'GET',
    path: '/api/v1/auth/tokens',
    summary: 'List API tokens, newest first; the tokens themselves are never shown again',
    access: 'access.read',
    parameters: nothing,
    query: object(wholeListQuery),
    body: undefined,
    handle: async ({ backend, query }) =>
      pageOfAll(backend.views.adminTokens(), query, ({ id }) => id),
  }),
  route({
    method: 'POST',
    path: '/api/v1/auth/tokens',
    summary: 'Create an API token for a person or a program; the answer shows it once',
    access: 'access.manage',
    parameters: nothing,
    query: nothing,
    body: object({
      name: Type.String({ minLength: 1, maxLength: 63, description: 'one name is one person' }),
      role: Type.Enum([...roles]),
      expiresInMs: Type.Optional(Type.Integer({ minimum: 1000, maximum: tokenLifeMsMax })),
      permissions: Type.Optional(
        Type.Array(Type.Enum([...allPermissions]), {
          minItems: 1,
          maxItems: 100,
          description: 'all that the token may be used for, of what its role may',
        }),
      ),
      envoys: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
          minItems: 1,
          maxItems: 100,
          description: 'selectors of the envoys that the token is limited to',
        }),
      ),
    }),
    handle: ({ backend, body, by, asker }) => {
      const { name, role, expiresInMs, permissions, envoys } = body;
      refuseBeyondOwn(asker, { role, permissions });
      const limits = {
        ...(permissions === undefined ? {} : { permissions }),
        ...(envoys === undefined ? {} : { envoys }),
      };
      const payload = { name, role, expiresInMs, by, ...limits };
      return backend.ask(accessAddress(), 'createToken', payload, askDeadlineMs);
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/auth/tokens/{id}',
    summary: 'Revoke an API token, by its id or by the name of its owner',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, by }) => {
      const wanted = parameters.id.slice(0, nameLengthMax);
      const tokens = backend.views.adminTokens();
      const token =
        tokens.find(({ id }) => id === wanted) ??
        tokens.find(({ name, revokedAtMs }) => name === wanted && revokedAtMs === undefined);
      if (!token) throw new AdminError('API_NOT_FOUND', `API token ${wanted}`);
      if (token.revokedAtMs === undefined) {
        await backend.ask(accessAddress(), 'revokeToken', { id: token.id, by }, askDeadlineMs);
      }
      return { revoked: token.id, name: token.name };
    },
  }),
];
