import type { Principal } from '../authenticate.ts';
import type { Permission } from '../permissions.ts';
import { type EnvoyFacts, type Reach, reachOf } from '../policy-decision.ts';
import { scopeKey } from '../scope.ts';
import type { EventHead } from './journal.ts';

/** What may be seen by whom: the beginning of the type decides which right an event needs. */
const permissions: readonly (readonly [prefix: string, Permission])[] = [
  ['envoy.', 'envoys.read'],
  ['envoys.', 'envoys.read'],
  ['enrollment.', 'envoys.read'],
  ['update.', 'envoys.read'],
  ['run.', 'runs.read'],
  ['policy.', 'config.read'],
  ['candidate.', 'config.read'],
  ['rollout.', 'config.read'],
  ['release.', 'releases.read'],
  ['token.', 'tokens.read'],
  ['secret.', 'secrets.list'],
  ['server.', 'status.read'],
];

/** What is not listed is for those who may read the audit log. */
export function permissionFor(type: string): Permission {
  return permissions.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 'audit.read';
}

/** What one principal may see of the events. */
export interface EventReader {
  /** The same for readers who may see the same. */
  readonly key: string;
  mayRead(event: EventHead): boolean;
}

/** What is known of an envoy, for grants over some envoys. */
export type FindFacts = (envoyId: string) => EnvoyFacts | undefined;

export function eventReader(asker: Principal, facts: FindFacts): EventReader {
  const reaches = new Map<Permission, Reach>();
  return {
    key: scopeKey(asker),
    mayRead: ({ type, envoyId }) => {
      const permission = permissionFor(type);
      const reach = reaches.get(permission) ?? reachOf(asker, permission);
      reaches.set(permission, reach);
      if (reach.everywhere) return true;
      if (envoyId === undefined || reach.selectors.length === 0) return false;
      const envoy = facts(envoyId);
      return envoy !== undefined && reach.covers(envoy);
    },
  };
}
