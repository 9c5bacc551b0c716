import { type AccessRole, accessRoles } from '../../../../actors/access/messages.ts';
import type { AccountRole } from '../../../../actors/accounts/messages.ts';

const meanings: Readonly<Record<AccountRole, string>> = {
  viewer: 'viewer: looks at everything but secrets',
  operator: 'operator: also enrolls, plans, publishes, stops rollouts',
  approver: 'approver: also approves what others publish',
  admin: 'admin: everything, also accounts and what cannot be undone',
  auditor: 'auditor: looks at everything and at who may do what',
  none: 'none: only what grants over some envoys give',
};

/** For forms, weakest first. */
export const roleOptions: readonly (readonly [string, string])[] = [
  ['none', meanings.none],
  ...accessRoles.map((role) => [role, meanings[role]] as const),
];

/** What a token of its own or a grant may be: a role, never none. */
export const accessRoleOptions: readonly (readonly [AccessRole, string])[] = accessRoles.map(
  (role) => [role, meanings[role]] as const,
);
