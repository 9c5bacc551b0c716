import type { AccountRole, Grant } from '../../actors/accounts/messages.ts';
import { AdminError } from '../errors.ts';
import type { Principal } from './authenticate.ts';
import { type Permission, permissionsOf } from './permissions.ts';
import { reachOf } from './policy-decision.ts';

/**
 * Nobody gives to others, or takes over by a new password, what they do not have themselves: a token
 * that is limited to managing accounts must not make an administrator. Throws API_FORBIDDEN.
 */
export function refuseBeyondOwn(
  asker: Principal,
  wanted: {
    readonly role?: AccountRole | undefined;
    readonly grants?: readonly Grant[] | undefined;
    readonly permissions?: readonly string[] | undefined;
  },
): void {
  const { role = 'none', grants = [] } = wanted;
  const ofRoles = [role, ...grants.map((grant) => grant.role)].flatMap((each) => [
    ...permissionsOf(each),
  ]);
  const needed = new Set<Permission>(
    wanted.permissions === undefined ? ofRoles : (wanted.permissions as Permission[]),
  );
  const missing = [...needed].filter((permission) => !reachOf(asker, permission).everywhere);
  if (missing.length === 0) return;
  const detail = `${asker.by} cannot give what it does not have: ${missing.join(', ')}`;
  throw new AdminError('API_FORBIDDEN', detail, { missing });
}
