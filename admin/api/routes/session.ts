import { accountsAddress } from '../../../actors/accounts/messages.ts';
import { AdminError } from '../../errors.ts';
import { Answer } from '../answer.ts';
import type { Principal } from '../authenticate.ts';
import type { Backend } from '../backend.ts';
import { allPermissions } from '../permissions.ts';
import { permissionsSomewhere } from '../policy-decision.ts';
import { route } from '../route.ts';
import { nothing } from '../schemas.ts';
import { endedSessionCookie } from '../session-cookie.ts';

const askDeadlineMs = 10_000;

/** Who asks and what they may do: for pages, the CLI and programs. */
export function whoIs(asker: Principal, backend: Backend) {
  const { accountId, sessionId, tokenId, expiresAtMs } = asker;
  const account = accountId === undefined ? undefined : backend.views.accounts.find(accountId);
  const { everywhere, somewhere } = permissionsSomewhere(asker, allPermissions);
  return {
    name: asker.name,
    displayName: account?.displayName ?? asker.name,
    by: asker.by,
    role: asker.role,
    grants: asker.grants ?? [],
    /** Over every envoy and the server. */
    permissions: everywhere,
    /** Only over the envoys of grants, or of the token's limit. */
    permissionsSomewhere: somewhere,
    envoys: asker.envoys ?? null,
    accountId: accountId ?? null,
    sessionId: sessionId ?? null,
    tokenId: tokenId ?? null,
    expiresAtMs: expiresAtMs ?? null,
    hasPassword: account?.hasPassword ?? false,
    totp: account?.totp ?? false,
    recoveryCodesLeft: account?.recoveryCodesLeft ?? 0,
    mustChangePassword: asker.mustChangePassword ?? false,
  };
}

export const sessionRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/session',
    summary: 'Show who asks, with what credential, and what it may do',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ asker, backend }) => whoIs(asker, backend),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/session',
    summary: 'Log out: end this session, now',
    access: 'access.self',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ asker, backend, by }) => {
      const { sessionId } = asker;
      if (sessionId === undefined) {
        const detail = 'this is a token and no session; vigocli auth revoke-token ends one';
        throw new AdminError('API_BAD_REQUEST', detail);
      }
      const payload = { sessionId, reason: 'logout', by };
      await backend.ask(accountsAddress(), 'endSession', payload, askDeadlineMs);
      const headers = { 'content-type': 'application/json', 'set-cookie': endedSessionCookie };
      return new Answer(200, headers, JSON.stringify({ ended: sessionId }));
    },
  }),
];
