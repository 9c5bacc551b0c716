import type { AccountView } from '../../actors/accounts/messages.ts';
import { AdminError } from '../errors.ts';
import type { Principal } from './authenticate.ts';
import type { Backend } from './backend.ts';
import { refuseBeyondOwn } from './hand-out.ts';

/** Throws API_NOT_FOUND. */
export function accountOf(backend: Backend, nameOrId: string): AccountView {
  const account = backend.views.accounts.find(nameOrId);
  if (account === undefined) throw new AdminError('API_NOT_FOUND', `account ${nameOrId}`);
  return account;
}

/**
 * The account, when the asker has all that it may do: who changes its password or adds a key can
 * log in as it. Throws API_NOT_FOUND or API_FORBIDDEN.
 */
export function accountInReach(backend: Backend, nameOrId: string, asker: Principal): AccountView {
  const account = accountOf(backend, nameOrId);
  refuseBeyondOwn(asker, account);
  return account;
}
