import { type AccessRole, accessRoles } from '../../actors/access/messages.ts';
import type { AccountRole } from '../../actors/accounts/messages.ts';

/** What each step of the ladder may do beyond the one before it. A route names the permission that it needs. */
const byRole = {
  /** Looks at everything but secrets, and at nobody else's account. */
  viewer: [
    'status.read',
    'envoys.read',
    'runs.read',
    'audit.read',
    'tokens.read',
    'config.read',
    'config.validate',
    'secrets.list',
    'releases.read',
  ],
  /** Changes the fleet by the pipeline: enrolls, plans, publishes, stops. */
  operator: [
    'tokens.write',
    'envoys.maintain',
    'config.plan',
    'config.publish',
    'config.freeze',
    'rollout.control',
    'secrets.write',
  ],
  /** Lets a publish of somebody else through, and ends a freeze. */
  approver: ['config.approve', 'config.unfreeze'],
  /** What cannot be undone, and who has which role. */
  admin: [
    'envoys.revoke',
    'secrets.reveal',
    'secrets.manage',
    'releases.manage',
    'access.read',
    'access.manage',
    'audit.acknowledge',
    'backup.manage',
  ],
} as const satisfies Record<Exclude<AccessRole, 'auditor'>, readonly string[]>;

/** Everybody who has proven who they are, about themselves. */
const everybody = ['access.self'] as const;
/** The auditor reads what viewers do, and who may do what; changes nothing. */
const auditorMore = ['access.read'] as const;

export type Role = AccessRole;
export type Permission = (typeof byRole)[keyof typeof byRole][number] | (typeof everybody)[number];

/** Each role may do what the ones before it may. */
export const ladder = ['viewer', 'operator', 'approver', 'admin'] as const;

export const roles: readonly Role[] = accessRoles;

export function permissionsOf(role: AccountRole): ReadonlySet<Permission> {
  if (role === 'none') return new Set(everybody);
  if (role === 'auditor') return new Set([...everybody, ...byRole.viewer, ...auditorMore]);
  const included = ladder.slice(0, ladder.indexOf(role) + 1);
  return new Set([
    ...everybody,
    ...included.flatMap((each): readonly Permission[] => byRole[each]),
  ]);
}

const granted = new Map<string, ReadonlySet<Permission>>(
  (['none', ...roles] as const).map((role) => [role, permissionsOf(role)]),
);

export function isAllowed(role: AccountRole, permission: Permission): boolean {
  return granted.get(role)?.has(permission) ?? false;
}

/** The least role that has the permission. */
export function roleFor(permission: Permission): Role {
  return ladder.find((role) => isAllowed(role, permission)) ?? 'admin';
}

export const allPermissions: readonly Permission[] = [...permissionsOf('admin')];
