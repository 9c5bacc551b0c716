import { Type } from 'typebox';
import { accessAddress } from '../../../actors/access/messages.ts';
import { accountsAddress } from '../../../actors/accounts/messages.ts';
import { AdminError } from '../../errors.ts';
import type { Principal } from '../authenticate.ts';
import { freshAccount } from '../fresh-login.ts';
import { allPermissions, type Role } from '../permissions.ts';
import { permissionsSomewhere } from '../policy-decision.ts';
import { route } from '../route.ts';
import { idParameter, nothing, object } from '../schemas.ts';
import { sessionShape } from '../shapes/session.ts';
import { loginOrigin, sessionAnswer } from './login.ts';

const askDeadlineMs = 20_000;
const tokenLifeMsMax = 366 * 86_400_000;
const passwordText = Type.String({ minLength: 1, maxLength: 1000 });
const codeText = Type.String({ minLength: 1, maxLength: 100 });

/** Throws API_NEEDS_LOGIN for what is no person. */
function accountOf({ accountId, by }: Principal): string {
  if (accountId !== undefined) return accountId;
  throw new AdminError('API_NEEDS_LOGIN', `${by} is a token of its own and has no account`);
}

/** Throws API_NEEDS_LOGIN: a token must not make itself another one. */
function sessionOf({ sessionId, by }: Principal): string {
  if (sessionId !== undefined) return sessionId;
  throw new AdminError('API_NEEDS_LOGIN', `${by} uses a token`);
}

const sessions = [
  route({
    method: 'GET',
    path: '/api/v1/account/sessions',
    summary: 'List the own sessions, newest first',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend, asker }) => ({
      items: backend.views.accounts
        .sessions(accountOf(asker))
        .map((session) => ({ ...session, current: session.id === asker.sessionId })),
    }),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/account/sessions',
    summary: 'End every own session but this one',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend, asker, by }) => {
      const { sessionId: except } = asker;
      const payload = { accountId: accountOf(asker), except, reason: 'ended by its owner', by };
      await backend.ask(accountsAddress(), 'endSessions', payload, askDeadlineMs);
      return { ended: 'all others' };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/account/sessions/{id}',
    summary: 'End one own session',
    access: 'access.self',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, asker, parameters, by }) => {
      const own = backend.views.accounts.sessions(accountOf(asker));
      const session = own.find(({ id }) => id === parameters.id);
      if (session === undefined) throw new AdminError('API_NOT_FOUND', `session ${parameters.id}`);
      const payload = { sessionId: session.id, reason: 'ended by its owner', by };
      await backend.ask(accountsAddress(), 'endSession', payload, askDeadlineMs);
      return { ended: session.id };
    },
  }),
];

const proofs = [
  route({
    method: 'POST',
    path: '/api/v1/account/password',
    summary: 'Change the own password: every session ends, and this one is replaced',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: object({ current: passwordText, next: passwordText }),
    answer: sessionShape,
    handle: async ({ backend, asker, body, ...asked }) => {
      const payload = { accountId: accountOf(asker), ...body, origin: loginOrigin(asked) };
      const session = await backend.ask(
        accountsAddress(),
        'changePassword',
        payload,
        askDeadlineMs,
      );
      const as = asked.header('authorization') === undefined ? 'cookie' : 'token';
      return sessionAnswer(backend, { session }, as);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/account/totp',
    summary: 'Begin to set up a second factor: the answer is for the authenticator app',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: object({
      current: Type.Optional({
        ...passwordText,
        description:
          'the password; an account that has none takes a login of the last ten minutes instead',
      }),
    }),
    handle: ({ backend, asker, body, ...asked }) => {
      sessionOf(asker);
      const accountId = accountOf(asker);
      const hasPassword = backend.views.accounts.find(accountId)?.hasPassword ?? true;
      if (!hasPassword) freshAccount(backend, asker);
      const current = hasPassword ? body.current : undefined;
      const payload = { accountId, current, origin: loginOrigin(asked) };
      return backend.ask(accountsAddress(), 'enrolTotp', payload, askDeadlineMs);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/account/totp/confirm',
    summary:
      'Turn the second factor on, with a first code of the app; shows the recovery codes once',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: object({ code: codeText }),
    handle: ({ backend, asker, body, ...asked }) => {
      sessionOf(asker);
      const payload = { accountId: accountOf(asker), ...body, origin: loginOrigin(asked) };
      return backend.ask(accountsAddress(), 'confirmTotp', payload, askDeadlineMs);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/account/totp/remove',
    summary: 'Turn the second factor off, with a code of the app or a recovery code',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: object({ code: codeText }),
    handle: async ({ backend, asker, body, ...asked }) => {
      sessionOf(asker);
      const payload = { accountId: accountOf(asker), ...body, origin: loginOrigin(asked) };
      await backend.ask(accountsAddress(), 'removeTotp', payload, askDeadlineMs);
      return { totp: false };
    },
  }),
];

const tokens = [
  route({
    method: 'POST',
    path: '/api/v1/account/tokens',
    summary: 'Make an API token that acts for the own account, with as little as it needs',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: object({
      name: Type.String({ minLength: 1, maxLength: 63 }),
      permissions: Type.Optional(
        Type.Array(Type.Enum([...allPermissions]), { minItems: 1, maxItems: 100 }),
      ),
      envoys: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { minItems: 1, maxItems: 100 }),
      ),
      expiresInMs: Type.Integer({ minimum: 1000, maximum: tokenLifeMsMax }),
    }),
    handle: ({ backend, asker, body, by }) => {
      sessionOf(asker);
      const { everywhere, somewhere } = permissionsSomewhere(asker, allPermissions);
      const permissions = body.permissions ?? [...everywhere, ...somewhere];
      const role: Role = asker.role === 'none' ? 'viewer' : asker.role;
      const { name, expiresInMs, envoys } = body;
      const limits = { permissions, ...(envoys === undefined ? {} : { envoys }) };
      const payload = { name, role, expiresInMs, by, accountId: accountOf(asker), ...limits };
      return backend.ask(accessAddress(), 'createToken', payload, askDeadlineMs);
    },
  }),
];

export const ownAccountRoutes = [...sessions, ...proofs, ...tokens];
