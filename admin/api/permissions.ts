import { type AccessRole, accessRoles } from '../../actors/access/messages.ts';

/**
 * The one policy decision of the admin plane: what each role may do. A route names the permission
 * that it needs; nothing else decides.
 */
const byRole = {
  /** Looks at everything but secrets. */
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
    'access.self',
  ],
  /** Changes the fleet by the pipeline: enrolls, plans, publishes, stops. */
  operator: [
    'tokens.write',
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
    'access.manage',
    'audit.acknowledge',
  ],
} as const satisfies Record<AccessRole, readonly string[]>;

export type Role = AccessRole;
export type Permission = (typeof byRole)[Role][number];

/** Each role may do what the ones before it may. */
export const roles: readonly Role[] = accessRoles;

export function permissionsOf(role: Role): ReadonlySet<Permission> {
  const included = roles.slice(0, roles.indexOf(role) + 1);
  return new Set(included.flatMap((each): readonly Permission[] => byRole[each]));
}

const granted = new Map(roles.map((role) => [role, permissionsOf(role)]));

export function isAllowed(role: Role, permission: Permission): boolean {
  return granted.get(role)?.has(permission) ?? false;
}

/** The least role that has the permission. */
export function roleFor(permission: Permission): Role {
  return roles.find((role) => isAllowed(role, permission)) ?? 'admin';
}
