import type { AdminTokenRecord } from '../../actors/access/messages.ts';
import type { AccountView, OwnedSession } from '../../actors/accounts/messages.ts';
import type { ApiCredential, FindCredential } from './authenticate.ts';

/** Where credentials are kept; read for each request, so that an end holds once it is on disk. */
export interface CredentialSource {
  adminToken(tokenSha256: string): AdminTokenRecord | undefined;
  readonly accounts: {
    find(id: string): AccountView | undefined;
    session(tokenSha256: string): OwnedSession | undefined;
  };
}

export function findCredentials(
  source: CredentialSource,
  local: ApiCredential,
  sessionIdleMs: number,
): FindCredential {
  return (hash, kind) => {
    if (kind === 'session') return ofSession(source.accounts.session(hash), sessionIdleMs);
    if (hash === local.tokenSha256) return local;
    const token = source.adminToken(hash);
    return token && ofToken(token, source);
  };
}

function ofSession(
  found: OwnedSession | undefined,
  sessionIdleMs: number,
): ApiCredential | undefined {
  if (found === undefined) return undefined;
  const { session, account } = found;
  return {
    ...ofAccount(account),
    tokenSha256: session.tokenSha256,
    tokenId: undefined,
    sessionId: session.id,
    expiresAtMs: session.expiresAtMs,
    idleUntilMs: session.lastUsedMs + sessionIdleMs,
    ...(session.endedAtMs === undefined ? {} : { revokedAtMs: session.endedAtMs }),
  };
}

/** A token of a person has never more than its owner has now. */
function ofToken(token: AdminTokenRecord, source: CredentialSource): ApiCredential {
  const { id: tokenId, name, role, tokenSha256, expiresAtMs, revokedAtMs, envoys } = token;
  const own = {
    tokenSha256,
    tokenId,
    expiresAtMs,
    ...(revokedAtMs === undefined ? {} : { revokedAtMs }),
    ...(envoys === undefined ? {} : { envoys }),
  };
  const { accountId, permissions } = token;
  if (accountId === undefined) {
    return { name, role, ...own, ...(permissions === undefined ? {} : { permissions }) };
  }
  const account = source.accounts.find(accountId);
  if (account === undefined) return { name, role: 'none', ...own, disabled: true };
  return { ...ofAccount(account), ...own, permissions: permissions ?? [] };
}

function ofAccount(account: AccountView) {
  const { id, name, role, grants, mustChangePassword, disabledAtMs, deletedAtMs } = account;
  return {
    accountId: id,
    name,
    role,
    grants,
    mustChangePassword,
    disabled: disabledAtMs !== undefined || deletedAtMs !== undefined,
  };
}
