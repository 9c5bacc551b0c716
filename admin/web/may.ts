import type { Principal } from '../api/authenticate.ts';
import type { Permission } from '../api/permissions.ts';
import { reachOf } from '../api/policy-decision.ts';

/** Whether a page offers something that needs this over the whole server; the API decides again. */
export function may(asker: Principal, permission: Permission): boolean {
  return reachOf(asker, permission).everywhere;
}
