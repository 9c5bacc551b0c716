import type Database from 'better-sqlite3';
import { type EnvoyState, envoyStates, stateNumber } from '../envoy/states.ts';
import type { AgentVersionCount } from './agent-versions.ts';
import { endingCertificates } from './ending-certificates.ts';
import { endingTokens } from './ending-tokens.ts';
import { dayMs, fleetDay, hourMs, minuteMs } from './fleet-history.ts';
import type { FleetDaysTable, FleetHistoryTable } from './fleet-tables.ts';
import type {
  AttentionView,
  EndingCertificates,
  EndingTokens,
  FleetSeries,
  FleetToday,
  FleetWindow,
} from './fleet-views.ts';
import { Statements } from './statements.ts';

/** Minutes are gathered so that a chart of a day has as many points as it has pixels. */
const windows: Readonly<Record<FleetWindow, { spanMs: number; stepMs: number; rowMs: number }>> = {
  '24h': { spanMs: dayMs, stepMs: 5 * minuteMs, rowMs: minuteMs },
  '7d': { spanMs: 7 * dayMs, stepMs: hourMs, rowMs: hourMs },
};
/** How long an answer that needs a look at every envoy is given again. */
const ageMs = 2_000;
/** Versions change slowly, and counting them takes longest. */
const versionsAgeMs = 10_000;
/** What ends in days is not asked for every second. */
const endingAgeMs = 5_000;
const exampleLimit = 5;
/** Policy versions that are told apart. */
const versionLimit = 20;

interface Attention extends Pick<AttentionView, 'kind' | 'severity'> {
  readonly state: EnvoyState;
  readonly words: string;
}

/** States that need a person, the most urgent first. */
const urgent: readonly Attention[] = [
  { kind: 'failed', severity: 'critical', state: 'failed', words: 'failed in the last run' },
  { kind: 'diverged', severity: 'critical', state: 'diverged', words: 'do not stay as declared' },
  { kind: 'offline', severity: 'warning', state: 'offline', words: 'missed three check-ins' },
  { kind: 'degraded', severity: 'warning', state: 'degraded', words: 'have resources in trouble' },
];

/** What the first page shows of the whole fleet. Synchronous, read-only, for the web thread. */
export class OverviewQueries {
  readonly #statements: Statements;
  readonly #nowMs: () => number;
  readonly #kept = new Map<string, { readonly atMs: number; readonly value: unknown }>();

  /** `nowMs`: a monotonic clock. */
  constructor(database: Database.Database, nowMs: () => number) {
    this.#statements = new Statements(database);
    this.#nowMs = nowMs;
  }

  /** `nowMs`: the wall clock. */
  series(window: FleetWindow, nowMs: number): FleetSeries {
    const { spanMs, stepMs, rowMs } = windows[window];
    const until = nowMs - (nowMs % stepMs) + stepMs;
    const from = until - spanMs;
    const steps = Math.round(spanMs / stepMs);
    const rows = this.#all<FleetHistoryTable>(
      'select * from fleet_history where step_ms = ? and at_ms >= ? order by at_ms',
      [rowMs, from],
    );
    const byStep: FleetHistoryTable[][] = Array.from({ length: steps }, () => []);
    for (const row of rows) byStep[Math.floor((row.at_ms - from) / stepMs)]?.push(row);
    const states = byStep.map((step) => statesOf(step.at(-1)));
    return {
      window,
      stepMs,
      atMs: byStep.map((_, at) => from + at * stepMs),
      states: Object.fromEntries(
        envoyStates.map((state, at) => [state, states.map((counts) => counts?.[at] ?? null)]),
      ) as Record<EnvoyState, (number | null)[]>,
      checkInsPerSecond: byStep.map((step) => perSecond(step, ({ check_ins }) => check_ins)),
      reportsPerSecond: byStep.map((step) => perSecond(step, ({ reports }) => reports)),
      latencyP50Ms: byStep.map((step) => worst(step, (row) => row.latency_p50_us)),
      latencyP99Ms: byStep.map((step) => worst(step, (row) => row.latency_p99_us)),
    };
  }

  /** Envoys by the policy version that they told of, most first; 0 = none. */
  policyVersions(): { version: number; envoys: number }[] {
    return this.#keep('versions', () =>
      this.#all<{ version: number; envoys: number }>(
        `select coalesce(policy_version, 0) as version, count(*) as envoys from envoys
         where revoked_at_ms is null group by 1 order by envoys desc limit ${versionLimit}`,
        [],
      ),
    );
  }

  agentVersions(read: () => AgentVersionCount[]): AgentVersionCount[] {
    return this.#keep('agents', read, versionsAgeMs);
  }

  livePolicy(): number {
    const [row] = this.#all<{ version: number | null }>(
      'select max(version) as version from policy_versions',
      [],
    );
    return row?.version ?? 0;
  }

  inMaintenance(): number {
    return this.#keep('maintenance', () => {
      const [row] = this.#all<{ envoys: number }>(
        `select count(*) as envoys from envoys
         where maintenance is not null and revoked_at_ms is null`,
        [],
      );
      return row?.envoys ?? 0;
    });
  }

  today(nowMs: number): FleetToday {
    const sinceMs = nowMs - (nowMs % dayMs);
    return this.#keep('today', () => {
      const [day] = this.#all<FleetDaysTable>('select * from fleet_days where day_ms = ?', [
        sinceMs,
      ]);
      const [fleet = { enrolled: 0, revoked: 0, published: 0 }] = this.#all<{
        enrolled: number;
        revoked: number;
        published: number;
      }>(
        `select count(*) filter (where enrolled_at_ms >= ?) as enrolled,
           count(*) filter (where revoked_at_ms >= ?) as revoked,
           (select count(*) from policy_versions where published_at_ms >= ?) as published
         from envoys`,
        [sinceMs, sinceMs, sinceMs],
      );
      return { sinceMs, ...fleetDay(day), ...fleet };
    });
  }

  /** Envoys that need a person; those in maintenance have one. */
  attention(): AttentionView[] {
    return this.#keep('attention', () => urgent.flatMap((one) => this.#attentionTo(one)));
  }

  /** `nowMs`: the wall clock. */
  ending(nowMs: number): EndingTokens {
    return this.#keep('ending', () => endingTokens(this.#statements, nowMs), endingAgeMs);
  }

  /** `nowMs`: the wall clock. */
  endingCertificates(nowMs: number): EndingCertificates {
    const read = () => endingCertificates(this.#statements, nowMs);
    return this.#keep('certificates', read, endingAgeMs);
  }

  /** How often envoys came into each state, ever. */
  transitionTotals(): { to: number; transitions: number }[] {
    return this.#all('select to_state as "to", transitions from transition_totals', []);
  }

  #attentionTo({ kind, severity, state, words }: Attention): AttentionView[] {
    const chosen = `from envoys where revoked_at_ms is null
      and state = ${stateNumber(state)} and maintenance is null`;
    const [found] = this.#all<{ envoys: number; since: number | null }>(
      `select count(*) as envoys, min(state_since_ms) as since ${chosen}`,
      [],
    );
    const count = found?.envoys ?? 0;
    if (count === 0) return [];
    const examples = this.#all<{ id: string; name: string }>(
      `select envoy_id as id, hostname as name ${chosen}
       order by hostname, envoy_id limit ${exampleLimit}`,
      [],
    );
    const text = `${count} ${count === 1 ? 'envoy' : 'envoys'}: ${words}`;
    return [{ kind, severity, text, count, sinceMs: found?.since ?? undefined, state, examples }];
  }

  #keep<Value>(key: string, read: () => Value, forMs = ageMs): Value {
    const nowMs = this.#nowMs();
    const known = this.#kept.get(key);
    if (known !== undefined && nowMs - known.atMs < forMs) return known.value as Value;
    const value = read();
    this.#kept.set(key, { atMs: nowMs, value });
    return value;
  }

  #all<Row>(sql: string, values: readonly (string | number)[]): Row[] {
    return this.#statements.all(sql, values);
  }
}

function statesOf(row: FleetHistoryTable | undefined): number[] | undefined {
  return row === undefined ? undefined : (JSON.parse(row.states) as number[]);
}

function perSecond(
  step: readonly FleetHistoryTable[],
  figure: (row: FleetHistoryTable) => number,
): number | null {
  const coveredMs = step.reduce((sum, row) => sum + row.covered_ms, 0);
  if (coveredMs === 0) return null;
  const total = step.reduce((sum, row) => sum + figure(row), 0);
  return Math.round((total * 1_000_000) / coveredMs) / 1000;
}

function worst(
  step: readonly FleetHistoryTable[],
  figure: (row: FleetHistoryTable) => number,
): number | null {
  const most = Math.max(0, ...step.map(figure));
  return most === 0 ? null : most / 1000;
}
