import { AdminError } from '../errors.ts';
import type { Principal } from './authenticate.ts';
import type { Backend } from './backend.ts';

/** A session that may have been stolen must not change how its owner logs in. */
const freshLoginMs = 600_000;

/** Throws API_FORBIDDEN for a token, and LOGIN_NOT_FRESH for a login of some time ago. */
export function freshAccount(backend: Backend, { accountId, sessionId, by }: Principal): string {
  if (accountId === undefined || sessionId === undefined) {
    throw new AdminError('API_FORBIDDEN', `${by} uses a token, and this takes a login`);
  }
  const session = backend.views.accounts.sessions(accountId).find(({ id }) => id === sessionId);
  if ((session?.createdAtMs ?? 0) < backend.nowMs() - freshLoginMs) {
    throw new AdminError('LOGIN_NOT_FRESH');
  }
  return accountId;
}
