import { Type } from 'typebox';
import { federationAddress } from '../../../actors/federation/messages.ts';
import { AdminError } from '../../errors.ts';
import { KeyTextError, parseLoginKey } from '../../login/public-key.ts';
import type { Backend } from '../backend.ts';
import { freshAccount } from '../fresh-login.ts';
import { accountInReach, accountOf } from '../one-account.ts';
import { route } from '../route.ts';
import { idParameter, nothing, object } from '../schemas.ts';

const askDeadlineMs = 20_000;

const keyBody = object({
  key: Type.String({
    minLength: 1,
    maxLength: 2000,
    description: 'ssh-ed25519 line of a .pub file, or a bare Ed25519 key in base64 or hex',
  }),
  comment: Type.Optional(Type.String({ maxLength: 100 })),
});

const fingerprint = Type.String({
  minLength: 1,
  maxLength: 100,
  description: 'SHA256:... with "-" for "+" and "_" for "/", which may not stand in a path',
});
const keyParameter = object({ ...idParameter.properties, fingerprint });
const ownKeyParameter = object({ fingerprint });

function readKey(text: string): { publicKey: string; comment: string } {
  try {
    const { publicKey, comment } = parseLoginKey(text);
    return { publicKey: Buffer.from(publicKey).toString('hex'), comment };
  } catch (error) {
    if (!(error instanceof KeyTextError)) throw error;
    throw new AdminError('LOGIN_KEY_INVALID', error.message);
  }
}

async function addKey(
  backend: Backend,
  accountId: string,
  body: { key: string; comment?: string },
  by: string,
): Promise<{ fingerprint: string; comment: string }> {
  const read = readKey(body.key);
  const key = { ...read, comment: body.comment ?? read.comment };
  const payload = { accountId, ...key, by };
  const added = await backend.ask(federationAddress(), 'addKey', payload, askDeadlineMs);
  return { fingerprint: added.fingerprint, comment: key.comment };
}

async function removeKey(backend: Backend, accountId: string, inPath: string, by: string) {
  const fingerprint = inPath.replaceAll('-', '+').replaceAll('_', '/');
  const payload = { accountId, fingerprint, by };
  await backend.ask(federationAddress(), 'removeKey', payload, askDeadlineMs);
  return { removed: fingerprint };
}

const own = [
  route({
    method: 'GET',
    path: '/api/v1/account/keys',
    summary: 'List the keys with which you may log in',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend, asker }) => ({
      items: asker.accountId === undefined ? [] : backend.views.federation.keys(asker.accountId),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/account/keys',
    summary: 'Add a public key to log in with; it takes a login of the last ten minutes',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: keyBody,
    handle: async ({ backend, asker, body, by }) =>
      await addKey(backend, freshAccount(backend, asker), body, by),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/account/keys/{fingerprint}',
    summary: 'Remove a key of your own',
    access: 'access.self',
    parameters: ownKeyParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, asker, parameters, by }) => {
      const { accountId } = asker;
      if (accountId === undefined) throw new AdminError('API_NOT_FOUND', `${by} has no account`);
      return await removeKey(backend, accountId, parameters.fingerprint, by);
    },
  }),
];

const ofOthers = [
  route({
    method: 'GET',
    path: '/api/v1/users/{id}/keys',
    summary: 'List the keys of an account',
    access: 'access.read',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => ({
      items: backend.views.federation.keys(accountOf(backend, parameters.id).id),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/users/{id}/keys',
    summary: 'Add a public key with which the owner of an account may log in',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: keyBody,
    handle: async ({ backend, asker, parameters, body, by }) =>
      await addKey(backend, accountInReach(backend, parameters.id, asker).id, body, by),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/users/{id}/keys/{fingerprint}',
    summary: 'Remove a key of an account',
    access: 'access.manage',
    parameters: keyParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, asker, parameters, by }) => {
      const { id } = accountInReach(backend, parameters.id, asker);
      return await removeKey(backend, id, parameters.fingerprint, by);
    },
  }),
];

/** The issuer that server.yaml names. Throws OIDC_OFF. */
function issuerOf(backend: Backend): string {
  const { provider } = backend.login;
  if (provider === undefined) throw new AdminError('OIDC_OFF');
  return provider.settings.issuer;
}

const identities = [
  route({
    method: 'GET',
    path: '/api/v1/users/{id}/identities',
    summary: 'List whom the OpenID provider means by an account',
    access: 'access.read',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => ({
      items: backend.views.federation.identities(accountOf(backend, parameters.id).id),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/users/{id}/identities',
    summary: 'Let a subject at the OpenID provider log in as an account',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: object({ subject: Type.String({ minLength: 1, maxLength: 255 }) }),
    handle: async ({ backend, asker, parameters, body, by }) => {
      const { id, name } = accountInReach(backend, parameters.id, asker);
      const payload = { accountId: id, issuer: issuerOf(backend), subject: body.subject, by };
      await backend.ask(federationAddress(), 'linkIdentity', payload, askDeadlineMs);
      return { name, issuer: payload.issuer, subject: body.subject };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/users/{id}/identities',
    summary: 'Let nobody at the OpenID provider log in as an account any more',
    access: 'access.manage',
    parameters: idParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, asker, parameters, by }) => {
      const { id, name } = accountInReach(backend, parameters.id, asker);
      const payload = { accountId: id, issuer: issuerOf(backend), by };
      await backend.ask(federationAddress(), 'unlinkIdentity', payload, askDeadlineMs);
      return { name, issuer: payload.issuer };
    },
  }),
];

export const accountKeyRoutes = [...own, ...ofOthers, ...identities];
