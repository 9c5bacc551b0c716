import { type EnvoyFacts, selects } from '../../actors/selector/match.ts';
import { isProblem, readSelector } from '../../actors/selector/selector.ts';
import { AdminError } from '../errors.ts';
import { nobody, type Principal } from './authenticate.ts';
import { isAllowed, type Permission, roleFor } from './permissions.ts';

export type { EnvoyFacts } from '../../actors/selector/match.ts';

/** Where somebody has a permission. */
export interface Reach {
  /** Over the server and every envoy. */
  readonly everywhere: boolean;
  /**
   * Otherwise: an envoy is in reach when all selectors of one of these lists select it; none: the
   * permission is not there at all.
   */
  readonly selectors: readonly (readonly string[])[];
  covers(envoy: EnvoyFacts): boolean;
}

/**
 * The one policy decision of the admin plane: where this asker has this permission. REST routes,
 * pages and events all ask here; nothing else decides.
 */
export function reachOf(asker: Principal, permission: Permission): Reach {
  if (asker.by === nobody.by) return reach(false, []);
  if (permission === 'access.self') return reach(true, []);
  if (asker.mustChangePassword === true) return reach(false, []);
  if (asker.permissions !== undefined && !asker.permissions.includes(permission)) {
    return reach(false, []);
  }
  const { envoys, grants = [] } = asker;
  const limits = envoys?.map((selector) => [selector]);
  if (isAllowed(asker.role, permission)) return reach(limits === undefined, limits ?? []);
  const given = grants
    .filter(({ role }) => isAllowed(role, permission))
    .map((grant) => [grant.envoys]);
  if (limits === undefined) return reach(false, given);
  return reach(
    false,
    given.flatMap((one) => limits.map((limit) => [...one, ...limit])),
  );
}

function reach(everywhere: boolean, selectors: readonly (readonly string[])[]): Reach {
  return {
    everywhere,
    selectors,
    covers: (envoy) =>
      everywhere || selectors.some((all) => all.every((selector) => means(selector, envoy))),
  };
}

/** What cannot be read means no envoy. */
function means(text: string, envoy: EnvoyFacts): boolean {
  const selector = readSelector(text);
  return !isProblem(selector) && selects(selector, envoy);
}

/** Throws API_FORBIDDEN unless the asker has the permission: everywhere, or on some envoys when those will do. */
export function permit(
  asker: Principal,
  permission: Permission,
  enough: 'everywhere' | 'somewhere' = 'everywhere',
): Reach {
  const found = reachOf(asker, permission);
  if (found.everywhere || (enough === 'somewhere' && found.selectors.length > 0)) return found;
  throw forbidden(asker, permission);
}

/** Throws API_FORBIDDEN unless the asker has the permission on this envoy. */
export function permitEnvoy(asker: Principal, permission: Permission, envoy: EnvoyFacts): void {
  if (reachOf(asker, permission).covers(envoy)) return;
  throw forbidden(asker, permission, envoy.hostname);
}

/** What the asker may do somewhere; for whoami and for pages, which leave out what is refused anyway. */
export function permissionsSomewhere(
  asker: Principal,
  all: readonly Permission[],
): { everywhere: Permission[]; somewhere: Permission[] } {
  const reaches = all.map((permission) => ({ permission, ...reachOf(asker, permission) }));
  return {
    everywhere: reaches.filter((each) => each.everywhere).map((each) => each.permission),
    somewhere: reaches
      .filter((each) => !each.everywhere && each.selectors.length > 0)
      .map((each) => each.permission),
  };
}

function forbidden(asker: Principal, permission: Permission, hostname?: string): AdminError {
  const { by, role } = asker;
  const needed = roleFor(permission);
  if (asker.mustChangePassword === true) return new AdminError('API_PASSWORD_CHANGE_DUE');
  const where = hostname === undefined ? '' : ` on ${hostname}`;
  const detail = isAllowed(role, permission)
    ? `the credential of ${by} is limited, and does not have ${permission}${where}`
    : `${by} is ${role}, and ${permission}${where} needs ${needed}`;
  return new AdminError('API_FORBIDDEN', detail, { permission, role, needed });
}
