import type Database from 'better-sqlite3';
import {
  type EnvoyState,
  envoyStates,
  revokedState,
  stateNumber,
  stateOfNumber,
} from '../envoy/states.ts';
import { hostnameMatcher } from '../policy/hostname-globs.ts';
import type { Selector } from '../selector/selector.ts';
import { envoyView, transitionView } from './envoy-rows.ts';
import type {
  EnvoyPage,
  EnvoyView,
  ResourcesView,
  StateCounts,
  TraitsView,
  TransitionView,
} from './fleet-views.ts';
import { makeCursor, type Page, pageLimit, readCursor } from './page.ts';
import { type ResourceRow, resourceView } from './resource-rows.ts';
import type { EnvoysTable, TraitsTable } from './schema.ts';
import {
  allOf,
  anyOf,
  type Condition,
  everywhere,
  fitsFunction,
  selectorCondition,
} from './selector-sql.ts';
import { Statements } from './statements.ts';

const unknownEnd = Number.MAX_SAFE_INTEGER;
/** What lists can be sorted by. The value of a column, so that a cursor can go on behind it. */
const sortColumns = {
  hostname: 'hostname',
  state: `case state ${urgency().join(' ')} else 0 end`,
  since: 'coalesce(state_since_ms, 0)',
  seen: 'coalesce(last_seen_ms, 0)',
  policy: 'coalesce(policy_version, 0)',
  agent: 'agent_version',
  os: 'os',
  enrolled: 'enrolled_at_ms',
  // Who is revoked needs none, and of whom it is not known has an old one: both come last.
  certificate: `case when revoked_at_ms is null
    then coalesce(certificate_ends_ms, ${unknownEnd}) else ${unknownEnd} end`,
} as const;

export type EnvoySort = keyof typeof sortColumns;

/** The most urgent first. */
function urgency(): string[] {
  const order: readonly EnvoyState[] = [
    'failed',
    'diverged',
    'degraded',
    'relapsed',
    'offline',
    'no data',
    'converged',
  ];
  return order.map((state, at) => `when ${stateNumber(state)} then ${at + 1}`);
}

export interface EnvoyFilter {
  readonly selector?: Selector;
  /** An EnvoyState or "revoked"; absent: every envoy, revoked ones too. */
  readonly state?: string;
  /** Only envoys in maintenance, or only the others. */
  readonly maintenance?: boolean;
  /** Envoys that the asker may see: those that all selectors of one of these lists mean; absent: all. */
  readonly within?: readonly (readonly Selector[])[];
  readonly sort?: EnvoySort;
  readonly order?: 'asc' | 'desc';
  readonly cursor?: string;
  readonly limit: number;
}

/** Selections whose counts are remembered for a moment, so that paging and many viewers cost little. */
const countsLimit = 64;
const countsAgeMs = 2_000;

interface Counted {
  readonly counts: StateCounts;
  readonly atMs: number;
}

/** Matchers of globs that SQLite calls for every host name. */
const matcherLimit = 64;

/** What people ask of envoys. Synchronous, read-only, for the web thread. */
export class EnvoyQueries {
  readonly #statements: Statements;
  readonly #nowMs: () => number;
  readonly #counted = new Map<string, Counted>();

  /** `nowMs`: a monotonic clock. */
  constructor(database: Database.Database, nowMs: () => number) {
    this.#statements = new Statements(database);
    this.#nowMs = nowMs;
    const matchers = new Map<string, (hostname: string) => boolean>();
    database.function(fitsFunction, { deterministic: true }, (glob, hostname) => {
      const key = String(glob);
      const known = matchers.get(key) ?? hostnameMatcher([key]);
      if (matchers.size >= matcherLimit) matchers.clear();
      matchers.set(key, known);
      return known(String(hostname)) ? 1 : 0;
    });
  }

  page(filter: EnvoyFilter): EnvoyPage {
    const chosen = selection(filter);
    const counts = this.#counts(chosen);
    const { items, next } = this.#items(filter, chosen);
    return { items, next, total: totalOf(counts, filter.state), counts };
  }

  /** By UUID or host name, not revoked ones first. */
  find(nameOrId: string): EnvoyView[] {
    const rows = this.#all<EnvoysTable>(
      `select * from envoys where envoy_id = ? or hostname = ?
       order by revoked_at_ms, enrolled_at_ms desc limit ${pageLimit}`,
      [nameOrId, nameOrId],
    );
    return rows.map(envoyView);
  }

  /** What only the page of one envoy shows. */
  detail(envoyId: string): {
    readonly revokedAtMs: number | undefined;
    readonly revokedReason: string | undefined;
    readonly certificateSerial: string;
    readonly traitsReceivedMs: number | undefined;
  } {
    const [row] = this.#all<EnvoysTable & { traits_ms: number | null }>(
      `select envoys.*, traits.received_at_ms as traits_ms from envoys
       left join traits using (envoy_id) where envoy_id = ?`,
      [envoyId],
    );
    return {
      revokedAtMs: row?.revoked_at_ms ?? undefined,
      revokedReason: row?.revoked_reason ?? undefined,
      certificateSerial: row?.certificate_serial ?? '',
      traitsReceivedMs: row?.traits_ms ?? undefined,
    };
  }

  /** Changes of state, newest first. */
  history(envoyId: string, limit: number, cursor?: string): Page<TransitionView> {
    const most = Math.min(limit, pageLimit);
    const [before = ''] = readCursor(cursor, 1) ?? [];
    const rows = this.#all<Parameters<typeof transitionView>[0] & { transition_id: number }>(
      `select * from envoy_transitions where envoy_id = ? and transition_id < ?
       order by transition_id desc limit ${most + 1}`,
      [envoyId, before === '' ? Number.MAX_SAFE_INTEGER : Number(before)],
    );
    const next =
      rows.length > most ? makeCursor([String(rows[most - 1]?.transition_id)]) : undefined;
    return { items: rows.slice(0, most).map(transitionView), next };
  }

  traits(envoyId: string): Omit<TraitsView, 'hostname'> | undefined {
    const [row] = this.#all<TraitsTable>('select * from traits where envoy_id = ?', [envoyId]);
    if (row === undefined) return undefined;
    const { hash, received_at_ms: receivedAtMs, traits_json } = row;
    return { envoyId, hash, receivedAtMs, traits: JSON.parse(traits_json) as TraitsView['traits'] };
  }

  /** The last that runs told of each resource. */
  resources(envoyId: string): ResourcesView['items'] {
    const rows = this.#all<ResourceRow>(
      `select * from (
         select result.*, runs.run_id, runs.started_at_ms,
           row_number() over (partition by resource_id order by result.run_key desc) as recency,
           max(runs.started_at_ms) filter (where action in (1, 2, 3))
             over (partition by resource_id) as changed_at_ms
         from runs join resource_results as result using (run_key)
         where runs.envoy_id = ? and runs.dry_run = 0)
       where recency = 1 order by resource_id`,
      [envoyId],
    );
    return rows.map(resourceView);
  }

  /** Envoys by state. */
  counts(): StateCounts {
    return this.#counts(everywhere);
  }

  #counts(chosen: Condition): StateCounts {
    const key = JSON.stringify([chosen.sql, chosen.values]);
    const known = this.#counted.get(key);
    const nowMs = this.#nowMs();
    if (known !== undefined && nowMs - known.atMs < countsAgeMs) return known.counts;
    const counts: Record<string, number> = Object.fromEntries(
      [...envoyStates, revokedState].map((state) => [state, 0]),
    );
    const rows = this.#all<{ state: number; envoys: number }>(
      `select state, count(*) as envoys from envoys
       where revoked_at_ms is null and ${chosen.sql} group by state`,
      chosen.values,
    );
    for (const { state, envoys } of rows) counts[stateOfNumber(state)] = envoys;
    const [revoked] = this.#all<{ envoys: number }>(
      `select count(*) as envoys from envoys where revoked_at_ms is not null and ${chosen.sql}`,
      chosen.values,
    );
    counts[revokedState] = revoked?.envoys ?? 0;
    this.#remember(key, { counts: counts as StateCounts, atMs: nowMs });
    return counts as StateCounts;
  }

  #remember(key: string, counted: Counted): void {
    this.#counted.delete(key);
    this.#counted.set(key, counted);
    for (const oldest of this.#counted.keys()) {
      if (this.#counted.size <= countsLimit) return;
      this.#counted.delete(oldest);
    }
  }

  #items(filter: EnvoyFilter, chosen: Condition): Page<EnvoyView> {
    const { sort = 'hostname', order = 'asc' } = filter;
    const limit = Math.min(filter.limit, pageLimit);
    const column = sortColumns[sort];
    const conditions = [chosen, stateCondition(filter.state)];
    const [sorted, way, value = '', id = ''] = readCursor(filter.cursor, 4) ?? [];
    if (sorted === sort && way === order) {
      const sign = order === 'asc' ? '>' : '<';
      const number = typeof this.#sample(column) === 'number';
      conditions.push({
        sql: `(${column}, envoy_id) ${sign} (?, ?)`,
        values: [number ? Number(value) : value, id],
      });
    }
    const { sql, values } = allOf(conditions);
    const rows = this.#all<EnvoysTable & { sort_value: string | number }>(
      `select *, ${column} as sort_value from envoys where ${sql}
       order by ${column} ${order}, envoy_id ${order} limit ${limit + 1}`,
      values,
    );
    const last = rows[limit - 1];
    const more = rows.length > limit && last !== undefined;
    const next = more
      ? makeCursor([sort, order, String(last.sort_value), last.envoy_id])
      : undefined;
    return { items: rows.slice(0, limit).map(envoyView), next };
  }

  /** A value of the column: SQLite compares a number and a text as different kinds. */
  #sample(column: string): unknown {
    const [row] = this.#all<{ sample: unknown }>(
      `select ${column} as sample from envoys limit 1`,
      [],
    );
    return row?.sample;
  }

  #all<Row>(sql: string, values: readonly (string | number)[]): Row[] {
    return this.#statements.all(sql, values);
  }
}

function selection({ selector, within, maintenance }: EnvoyFilter): Condition {
  const conditions: Condition[] = [];
  if (selector !== undefined) conditions.push(selectorCondition(selector));
  if (within !== undefined) {
    conditions.push(anyOf(within.map((all) => allOf(all.map(selectorCondition)))));
  }
  if (maintenance !== undefined) {
    conditions.push({ sql: `maintenance is ${maintenance ? 'not ' : ''}null`, values: [] });
  }
  return allOf(conditions);
}

function stateCondition(state: string | undefined): Condition {
  if (state === undefined) return everywhere;
  if (state === revokedState) return { sql: 'revoked_at_ms is not null', values: [] };
  const number = stateNumber(state as EnvoyState);
  return { sql: `revoked_at_ms is null and state = ${number}`, values: [] };
}

function totalOf(counts: StateCounts, state: string | undefined): number {
  if (state !== undefined) return counts[state as EnvoyState] ?? 0;
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
