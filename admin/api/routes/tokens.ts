import { Type } from 'typebox';
import { enrollmentAddress } from '../../../actors/enrollment/messages.ts';
import { AdminError } from '../../errors.ts';
import { pageOfAll, wholeListQuery } from '../http/whole-list.ts';
import { hostPattern, installCommands } from '../install/command.ts';
import { route } from '../route.ts';
import { idParameter, nameLengthMax, nothing, object } from '../schemas.ts';

const askDeadlineMs = 10_000;
const tokenLifeMsMax = 366 * 24 * 3600 * 1000;
const defaultTokenLifeMs = 24 * 3600 * 1000;
const patternsMax = 50;

export const tokenRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/tokens',
    summary: 'List enrollment tokens, newest first; the tokens themselves are never shown again',
    access: 'tokens.read',
    parameters: nothing,
    query: object(wholeListQuery),
    body: undefined,
    handle: async ({ backend, query }) => pageOfAll(backend.views.tokens(), query, ({ id }) => id),
  }),
  route({
    method: 'POST',
    path: '/api/v1/tokens',
    summary: 'Create a token that enrolls one machine whose host name fits a pattern',
    access: 'tokens.write',
    parameters: nothing,
    query: nothing,
    body: object({
      match: Type.Array(Type.String({ minLength: 1, maxLength: nameLengthMax }), {
        minItems: 1,
        maxItems: patternsMax,
        description: 'globs on the host name',
      }),
      expiresInMs: Type.Optional(Type.Integer({ minimum: 1000, maximum: tokenLifeMsMax })),
      address: Type.Optional(
        Type.String({
          pattern: hostPattern,
          description: "how the machine reaches this server; one of its certificate's names",
        }),
      ),
    }),
    handle: async ({ backend, body, by }) => {
      const created = await backend.ask(
        enrollmentAddress(),
        'createToken',
        { match: body.match, expiresInMs: body.expiresInMs ?? defaultTokenLifeMs, by },
        askDeadlineMs,
      );
      const { install } = backend;
      const address = body.address ?? install.address;
      return { ...created, install: await installCommands(install, address, created.token) };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/tokens/{id}',
    summary: 'Revoke a token that was not used yet',
    access: 'tokens.write',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, by }) => {
      const token = backend.views.tokens().find(({ id }) => id === parameters.id);
      if (!token) throw new AdminError('API_NOT_FOUND', `token ${parameters.id}`);
      if (token.usedAtMs !== undefined) {
        throw new AdminError('API_TOKEN_USED', `by envoy ${token.usedBy}`);
      }
      const payload = { id: parameters.id, by };
      if (token.revokedAtMs === undefined) {
        await backend.ask(enrollmentAddress(), 'revokeToken', payload, askDeadlineMs);
      }
      return { revoked: parameters.id };
    },
  }),
];
