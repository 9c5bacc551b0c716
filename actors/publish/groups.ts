import { toHex } from '../../agent/protocol/bytes.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { StoreReader } from '../../runtime/store.ts';
import {
  type AssignmentRow,
  envoyLimit,
  type GenerationRow,
  groupFor,
  noGroup,
  type PolicyTables,
} from '../policy/tables.ts';
import { pause } from './policy.ts';
import { firstMatch } from './stack/match.ts';

/** Envoys looked at before others get their turn. */
const envoyPage = 2000;

/** The group of a host name: the first entry that matches. */
export function groupMatcher(generation: GenerationRow): (hostname: string) => string {
  const { groups } = generation;
  const find = firstMatch(groups.map(({ match }) => match));
  return (hostname) => groups[find(hostname) ?? -1]?.key ?? noGroup;
}

/** Hex root by group. */
export function rootsOf(generation: GenerationRow | undefined): (group: string) => string {
  const roots = new Map(generation?.groups.map(({ key, root }) => [key, toHex(root)]));
  const empty = generation === undefined ? '' : toHex(generation.emptyRoot);
  return (group) => roots.get(group) ?? empty;
}

/** True when both put every host name into the same group. */
export function groupsAlike(a: GenerationRow, b: GenerationRow): boolean {
  const { length } = a.groups;
  return length === b.groups.length && a.groups.every(({ key }, at) => key === b.groups[at]?.key);
}

export interface FleetMember {
  readonly envoyId: string;
  readonly hostname: string;
  readonly row: AssignmentRow | undefined;
}

/** Every envoy that is not revoked, in pages, with turns of others in between. */
export async function* fleetMembers(
  store: StoreReader,
  tables: PolicyTables,
  ports: Ports,
): AsyncGenerator<readonly FleetMember[]> {
  let from = '';
  for (let seen = 0; seen <= envoyLimit; ) {
    const page = [...store.range(tables.identities, { from, limit: envoyPage })];
    yield page
      .filter(([, { revoked }]) => !revoked)
      .map(([envoyId, { hostname }]) => ({
        envoyId,
        hostname,
        row: store.get(tables.assignments, envoyId),
      }));
    seen += page.length;
    if (page.length < envoyPage) return;
    // The least key behind the last one.
    from = `${page[page.length - 1]![0]}\0`;
    await pause(ports);
  }
}

/** What an envoy's row must say so that both generations find their group; undefined: it does already. */
export function regroup(
  row: AssignmentRow | undefined,
  now: { readonly generation: number; readonly group: string } | undefined,
  next: { readonly generation: number; readonly group: string },
): AssignmentRow | undefined {
  const { group, generation } = next;
  const before = now?.group ?? group;
  const keeps =
    row !== undefined && (now === undefined || groupFor(row, now.generation) === before);
  if (keeps && groupFor(row, generation) === group) return undefined;
  return before === group ? { group, since: 0 } : { group, since: generation, before };
}

export interface RegroupedFleet {
  readonly rows: readonly (readonly [envoyId: string, row: AssignmentRow])[];
  /** Envoys whose bundle differs between the generations. */
  readonly changed: number;
  readonly total: number;
}

/**
 * Compares what every envoy has with what it gets. `now` is the generation in force; absent: none.
 */
export async function regroupFleet(
  store: StoreReader,
  tables: PolicyTables,
  ports: Ports,
  generations: {
    readonly now?: { readonly number: number; readonly row: GenerationRow };
    readonly next: { readonly number: number; readonly row: GenerationRow };
  },
): Promise<RegroupedFleet> {
  const { now, next } = generations;
  const alike = now !== undefined && groupsAlike(now.row, next.row);
  const matchNext = groupMatcher(next.row);
  const matchNow = now && groupMatcher(now.row);
  const rootNow = rootsOf(now?.row);
  const rootNext = rootsOf(next.row);
  const rows: (readonly [string, AssignmentRow])[] = [];
  let changed = 0;
  let total = 0;
  for await (const page of fleetMembers(store, tables, ports)) {
    for (const { envoyId, hostname, row } of page) {
      const known = row && now && groupFor(row, now.number);
      const group = alike && known !== undefined ? known : matchNext(hostname);
      const before = known ?? matchNow?.(hostname);
      total += 1;
      if (before === undefined || rootNow(before) !== rootNext(group)) changed += 1;
      const current =
        now && before !== undefined ? { generation: now.number, group: before } : undefined;
      const written = regroup(row, current, { generation: next.number, group });
      if (written !== undefined) rows.push([envoyId, written]);
    }
  }
  return { rows, changed, total };
}

export interface ChangedMember {
  readonly envoyId: string;
  readonly hostname: string;
  /** Hex, of the newer generation. */
  readonly root: string;
}

/** Envoys that get other policy by `to` than by `from`, in pages. */
export async function* changedMembers(
  store: StoreReader,
  tables: PolicyTables,
  ports: Ports,
  generations: {
    readonly from: { readonly number: number; readonly row: GenerationRow };
    readonly to: { readonly number: number; readonly row: GenerationRow };
  },
): AsyncGenerator<readonly ChangedMember[]> {
  const { from, to } = generations;
  const rootFrom = rootsOf(from.row);
  const rootTo = rootsOf(to.row);
  for await (const page of fleetMembers(store, tables, ports)) {
    yield page.flatMap(({ envoyId, hostname, row }) => {
      if (row === undefined) return [];
      const root = rootTo(groupFor(row, to.number));
      return rootFrom(groupFor(row, from.number)) === root ? [] : [{ envoyId, hostname, root }];
    });
  }
}
