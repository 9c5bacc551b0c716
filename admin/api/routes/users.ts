import { Type } from 'typebox';
import { accountRoles, accountsAddress } from '../../../actors/accounts/messages.ts';
import { refuseBeyondOwn } from '../hand-out.ts';
import { pageOfAll, wholeListQuery } from '../http/whole-list.ts';
import { accountInReach, accountOf } from '../one-account.ts';
import { roles } from '../permissions.ts';
import { route } from '../route.ts';
import { idParameter, nothing, object } from '../schemas.ts';

const askDeadlineMs = 20_000;
const passwordText = Type.String({ minLength: 1, maxLength: 1000 });
const changes = {
  displayName: Type.Optional(Type.String({ maxLength: 200 })),
  email: Type.Optional(Type.String({ maxLength: 200 })),
  grants: Type.Optional(
    Type.Array(
      object({
        role: Type.Enum([...roles]),
        envoys: Type.String({
          minLength: 1,
          maxLength: 300,
          description: 'host name glob, envoy id, or trait filter path=value',
        }),
      }),
      { maxItems: 100 },
    ),
  ),
};

const collection = [
  route({
    method: 'GET',
    path: '/api/v1/users',
    summary: 'List accounts by name',
    access: 'access.read',
    parameters: nothing,
    query: object(wholeListQuery),
    body: undefined,
    handle: async ({ backend, query }) =>
      pageOfAll(backend.views.accounts.list(), query, ({ id }) => id),
  }),
  route({
    method: 'POST',
    path: '/api/v1/users',
    summary: 'Make an account; without a password one is made up, shown once, and must be changed',
    access: 'access.manage',
    parameters: nothing,
    query: nothing,
    body: object({
      name: Type.String({ minLength: 1, maxLength: 63 }),
      role: Type.Enum([...accountRoles]),
      ...changes,
      password: Type.Optional(passwordText),
      noPassword: Type.Optional(
        Type.Boolean({ description: 'no login by password, only by key or OpenID Connect' }),
      ),
    }),
    handle: async ({ backend, body, by, asker }) => {
      const { password, noPassword = false, ...given } = body;
      refuseBeyondOwn(asker, given);
      const wanted = noPassword
        ? 'none'
        : password === undefined
          ? 'generate'
          : { given: password };
      const payload = { ...given, password: wanted, by } as const;
      const made = await backend.ask(accountsAddress(), 'create', payload, askDeadlineMs);
      return { id: made.id, name: body.name, password: made.password ?? null };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/users/{id}',
    summary: 'Show one account, by name or id, with its sessions',
    access: 'access.read',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => {
      const account = accountOf(backend, parameters.id);
      return { ...account, sessions: backend.views.accounts.sessions(account.id) };
    },
  }),
  route({
    method: 'PUT',
    path: '/api/v1/users/{id}',
    summary: 'Change name, e-mail, role or grants; sessions end when role or grants change',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: object({ ...changes, role: Type.Optional(Type.Enum([...accountRoles])) }),
    handle: async ({ backend, parameters, body, by, asker }) => {
      const { id, name } = accountInReach(backend, parameters.id, asker);
      refuseBeyondOwn(asker, body);
      await backend.ask(accountsAddress(), 'change', { ...body, id, by }, askDeadlineMs);
      return { id, name };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/users/{id}',
    summary: 'Delete an account for ever; its name is not given again',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, by, asker }) => {
      const { id, name } = accountInReach(backend, parameters.id, asker);
      await backend.ask(accountsAddress(), 'remove', { id, by }, askDeadlineMs);
      return { deleted: id, name };
    },
  }),
];

const states = [
  ...([true, false] as const).map((disabled) =>
    route({
      method: 'POST',
      path: `/api/v1/users/{id}/${disabled ? 'disable' : 'enable'}`,
      summary: disabled
        ? 'Disable an account: its sessions end, its tokens stop working'
        : 'Enable an account again',
      access: 'access.manage',
      parameters: idParameter,
      query: nothing,
      body: undefined,
      handle: async ({ backend, parameters, by, asker }) => {
        const { id, name } = accountInReach(backend, parameters.id, asker);
        await backend.ask(accountsAddress(), 'setDisabled', { id, disabled, by }, askDeadlineMs);
        return { id, name, disabled };
      },
    }),
  ),
  route({
    method: 'POST',
    path: '/api/v1/users/{id}/password',
    summary: 'Give an account a new password that must be changed at the next login',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: object({ password: Type.Optional(passwordText) }),
    handle: async ({ backend, parameters, body, by, asker }) => {
      const { id, name } = accountInReach(backend, parameters.id, asker);
      const payload = { id, password: body.password, by };
      const reset = await backend.ask(accountsAddress(), 'resetPassword', payload, askDeadlineMs);
      return { id, name, password: body.password === undefined ? reset.password : null };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/users/{id}/totp',
    summary: 'Remove the second factor of an account whose owner lost it',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, by, asker }) => {
      const { id, name } = accountInReach(backend, parameters.id, asker);
      await backend.ask(accountsAddress(), 'resetTotp', { id, by }, askDeadlineMs);
      return { id, name };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/users/{id}/sessions',
    summary: 'End every session of an account, now',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, by, asker }) => {
      const { id, name } = accountInReach(backend, parameters.id, asker);
      const payload = { accountId: id, except: undefined, reason: 'ended by an administrator', by };
      await backend.ask(accountsAddress(), 'endSessions', payload, askDeadlineMs);
      return { id, name };
    },
  }),
];

export const userRoutes = [...collection, ...states];
