import type Database from 'better-sqlite3';
import { stateOfNumber } from '../envoy/states.ts';

/** Agent versions that are counted apart; the rest stands under "other". */
const versionLimit = 50;

/** What the database knows of the fleet in numbers. */
export interface FleetFigures {
  readonly byAgentVersion: Readonly<Record<string, number>>;
  /** By state, without those in maintenance and those that are revoked: what alerts look at. */
  readonly alarming: Readonly<Record<string, number>>;
  readonly inMaintenance: number;
  /** How often envoys came into each state, ever. */
  readonly transitions: Readonly<Record<string, number>>;
  /** Envoys that told of the live policy version, and those that told of an older one or none. */
  readonly onLivePolicy: number;
  readonly behindLivePolicy: number;
  /** When the envoy was heard of that has been silent for longest. */
  readonly oldestSeenMs: number | undefined;
  readonly livePolicy: { readonly version: number; readonly publishedAtMs: number } | undefined;
  /** Ever received; older ones may have been removed since. */
  readonly runs: number;
  readonly auditEntries: number;
  readonly enrollmentTokens: {
    readonly open: number;
    readonly used: number;
    readonly expired: number;
    readonly revoked: number;
  };
  readonly apiTokens: { readonly valid: number; readonly soonestExpiryMs: number | undefined };
}

interface Numbers {
  readonly [column: string]: number | null;
}

/** Reads them; each query is an aggregate over an index or a small table. */
export class FleetFigureQueries {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  read(nowMs: number): FleetFigures {
    const [live] = this.#rows(
      'select version, published_at_ms from policy_versions order by version desc limit 1',
    );
    const version = live?.version ?? 0;
    const [fleet] = this.#rows(
      `select count(*) filter (where policy_version = ?) as current,
              count(*) filter (where policy_version is not ?) as behind,
              min(last_seen_ms) as oldest
       from envoys where revoked_at_ms is null`,
      version,
      version,
    );
    const [tokens] = this.#rows(
      `select count(*) filter (where revoked_at_ms is not null) as revoked,
              count(*) filter (where revoked_at_ms is null and used_at_ms is not null) as used,
              count(*) filter (where revoked_at_ms is null and used_at_ms is null and expires_at_ms <= ?) as expired,
              count(*) filter (where revoked_at_ms is null and used_at_ms is null and expires_at_ms > ?) as open
       from tokens`,
      nowMs,
      nowMs,
    );
    const [api] = this.#rows(
      `select count(*) as valid, min(expires_at_ms) as soonest from admin_tokens
       where revoked_at_ms is null and (expires_at_ms is null or expires_at_ms > ?)`,
      nowMs,
    );
    const [last] = this.#rows(
      `select (select max(run_key) from runs) as runs, (select max(sequence) from audit_log) as audit`,
    );
    return {
      byAgentVersion: this.#versions(),
      ...this.#maintenance(),
      transitions: this.#states(
        'select to_state as state, transitions as n from transition_totals',
      ),
      onLivePolicy: fleet?.current ?? 0,
      behindLivePolicy: fleet?.behind ?? 0,
      oldestSeenMs: fleet?.oldest ?? undefined,
      livePolicy: live && { version, publishedAtMs: live.published_at_ms ?? 0 },
      runs: last?.runs ?? 0,
      auditEntries: last?.audit ?? 0,
      enrollmentTokens: {
        open: tokens?.open ?? 0,
        used: tokens?.used ?? 0,
        expired: tokens?.expired ?? 0,
        revoked: tokens?.revoked ?? 0,
      },
      apiTokens: { valid: api?.valid ?? 0, soonestExpiryMs: api?.soonest ?? undefined },
    };
  }

  /** Counted from two small indexes: reading every row would take many times as long. */
  #maintenance(): Pick<FleetFigures, 'alarming' | 'inMaintenance'> {
    const alarming = this.#states(
      'select state, count(*) as n from envoys where revoked_at_ms is null group by state',
    );
    const maintained = this.#states(
      `select state, count(*) as n from envoys
       where maintenance is not null and revoked_at_ms is null group by state`,
    );
    for (const [state, count] of Object.entries(maintained)) {
      alarming[state] = (alarming[state] ?? 0) - count;
    }
    const inMaintenance = Object.values(maintained).reduce((sum, count) => sum + count, 0);
    return { alarming, inMaintenance };
  }

  #states(sql: string): Record<string, number> {
    return Object.fromEntries(
      this.#rows(sql).map(({ state, n }) => [stateOfNumber(state ?? 0), n ?? 0]),
    );
  }

  #versions(): Record<string, number> {
    const counted = this.#database
      .prepare<[], { agent_version: string; envoys: number }>(
        `select agent_version, count(*) as envoys from envoys where revoked_at_ms is null
         group by agent_version order by envoys desc`,
      )
      .all();
    const kept = counted.slice(0, versionLimit);
    const rest = counted.slice(versionLimit).reduce((sum, { envoys }) => sum + envoys, 0);
    return Object.fromEntries([
      ...kept.map(({ agent_version, envoys }) => [agent_version, envoys]),
      ...(rest > 0 ? [['other', rest]] : []),
    ]);
  }

  #rows(sql: string, ...values: number[]): Numbers[] {
    return this.#database.prepare<number[], Numbers>(sql).all(...values);
  }
}
