import { toHex } from '../../agent/protocol/bytes.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { envoyLimit, type PolicyTables } from '../policy/tables.ts';
import { pause } from '../publish/policy.ts';
import { planGroupLimit } from './messages.ts';

/** Envoys looked at before others get their turn. */
const envoyPage = 2_000;

export interface GroupMember {
  readonly envoyId: string;
  readonly hostname: string;
}

/** Envoys that go from one bundle to the same other one. */
export interface FleetGroup {
  /** Hex; "" = nothing is assigned. */
  readonly oldRoot: string;
  readonly newRoot: string;
  readonly members: readonly GroupMember[];
}

export interface FleetChange {
  readonly groups: readonly FleetGroup[];
  /** Envoys that are not revoked. */
  readonly fleet: number;
  /** Envoys of groups beyond the limit. */
  readonly ungrouped: number;
}

/** Who would get another bundle. Revoked envoys get nothing. */
export async function changedGroups(
  source: {
    readonly store: StoreReader;
    readonly tables: Pick<PolicyTables, 'identities'>;
    readonly ports: Ports;
  },
  oldRootOf: (envoyId: string) => Uint8Array | undefined,
  newRootOf: (hostname: string) => Uint8Array,
): Promise<FleetChange> {
  const groups = new Map<string, { oldRoot: string; newRoot: string; members: GroupMember[] }>();
  let fleet = 0;
  let ungrouped = 0;
  let from = '';
  while (fleet <= envoyLimit) {
    const page = [...source.store.range(source.tables.identities, { from, limit: envoyPage })];
    for (const [envoyId, { hostname, revoked }] of page) {
      if (revoked) continue;
      fleet += 1;
      const oldRoot = toHex(oldRootOf(envoyId) ?? new Uint8Array(0));
      const newRoot = toHex(newRootOf(hostname));
      if (oldRoot === newRoot) continue;
      const key = `${oldRoot} ${newRoot}`;
      const group = groups.get(key) ?? { oldRoot, newRoot, members: [] };
      if (!groups.has(key) && groups.size >= planGroupLimit) {
        ungrouped += 1;
        continue;
      }
      group.members.push({ envoyId, hostname });
      groups.set(key, group);
    }
    if (page.length < envoyPage) break;
    // The least key behind the last one.
    from = `${page[page.length - 1]![0]}\0`;
    await pause(source.ports);
  }
  const sorted = [...groups.values()].sort((a, b) => b.members.length - a.members.length);
  return { groups: sorted, fleet, ungrouped };
}
