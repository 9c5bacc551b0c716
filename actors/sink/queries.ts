import type Database from 'better-sqlite3';
import {
  type Compilable,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Clock } from '../../runtime/ports/clock.ts';
import { nodeClock } from '../../runtime/ports/node-clock.ts';
import type { AdminTokenRecord, AdminTokenView } from '../access/messages.ts';
import { AccountQueries } from './account-queries.ts';
import { adminTokenRecord, adminTokenView } from './admin-tokens.ts';
import { type AgentVersionCount, agentVersionCounts, agentVersionQuery } from './agent-versions.ts';
import { AuditQueries } from './audit-queries.ts';
import { openReadOnlyDatabase } from './connection.ts';
import { EnvoyQueries } from './envoy-queries.ts';
import { FederationQueries } from './federation-queries.ts';
import { FleetFigureQueries } from './fleet-figures.ts';
import type { EnvoyView, SavedView } from './fleet-views.ts';
import { OverviewQueries } from './overview-queries.ts';
import { makeCursor, type Page, pageLimit, readCursor } from './page.ts';
import { PlanQueries } from './plan-queries.ts';
import { type PolicyVersionView, policyVersionView } from './policy-versions.ts';
import * as rows from './query-rows.ts';
import { readSavedViews } from './saved-views.ts';
import type { RunsTable, SinkSchema } from './schema.ts';
import { Statements } from './statements.ts';

export type { EnvoyFilter } from './envoy-queries.ts';
export type { FleetFigures } from './fleet-figures.ts';
export type { Page } from './page.ts';

/** Builds queries; runs none. */
const builder = new Kysely<SinkSchema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** Tokens that are listed, newest first. */
const tokenListLimit = 10_000;
export interface RunFilter {
  readonly envoyId?: string;
  readonly state?: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface AuditFilter {
  readonly afterSequence: number;
  /** Only entries that came before this one. */
  readonly beforeSequence?: number;
  /** The last `limit` entries instead of the first ones; still in rising order. */
  readonly newest?: boolean;
  /** An event type, or the beginning of some: "rollout.*". */
  readonly type?: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly limit: number;
}

/**
 * What people ask of the database: read-only, on a connection of its own, synchronous (for the
 * web thread and offline commands, never for a shard).
 */
export class SinkQueries {
  readonly #database: Database.Database;
  readonly #statements: Statements;
  readonly accounts: AccountQueries;
  readonly federation: FederationQueries;
  readonly plans: PlanQueries;
  readonly auditTree: AuditQueries;
  readonly figures: FleetFigureQueries;
  readonly envoys: EnvoyQueries;
  readonly overview: OverviewQueries;

  constructor(file: string, clock: Pick<Clock, 'monotonicMs'> = nodeClock()) {
    this.#database = openReadOnlyDatabase(file);
    this.#statements = new Statements(this.#database);
    const nowMs = () => clock.monotonicMs();
    this.accounts = new AccountQueries(this.#database);
    this.federation = new FederationQueries(this.#database);
    this.plans = new PlanQueries(this.#database);
    this.auditTree = new AuditQueries(this.#database);
    this.figures = new FleetFigureQueries(this.#database);
    this.envoys = new EnvoyQueries(this.#database, nowMs);
    this.overview = new OverviewQueries(this.#database, nowMs);
  }

  close(): void {
    this.#database.close();
  }

  tokens(): rows.TokenView[] {
    const query = builder
      .selectFrom('tokens')
      .selectAll()
      .orderBy('created_at_ms', 'desc')
      .orderBy('id')
      .limit(tokenListLimit);
    return this.#all(query).map(rows.tokenView);
  }

  /** Named API tokens, newest first. */
  adminTokens(): AdminTokenView[] {
    const query = builder
      .selectFrom('admin_tokens')
      .selectAll()
      .orderBy('created_at_ms', 'desc')
      .orderBy('id')
      .limit(tokenListLimit);
    return this.#all(query).map(adminTokenView);
  }

  /** By the SHA-256 of the token, hex; also an expired or revoked one. */
  adminToken(tokenSha256: string): AdminTokenRecord | undefined {
    // Asked by each request: even building the query would cost more than it does.
    const sql = 'select * from admin_tokens where token_sha256 = ?';
    const [row] = this.#statements.all<Parameters<typeof adminTokenRecord>[0]>(sql, [tokenSha256]);
    return row && adminTokenRecord(row);
  }

  /** By UUID or host name, not revoked ones first. */
  findEnvoys(nameOrId: string): EnvoyView[] {
    return this.envoys.find(nameOrId);
  }

  /** Newest first. */
  runs(filter: RunFilter): Page<rows.RunView> {
    const limit = Math.min(filter.limit, pageLimit);
    let query = this.#runQuery()
      .orderBy('runs.run_key', 'desc')
      .limit(limit + 1);
    const [before] = readCursor(filter.cursor, 1) ?? [];
    if (before !== undefined) query = query.where('runs.run_key', '<', Number(before));
    if (filter.envoyId !== undefined) query = query.where('runs.envoy_id', '=', filter.envoyId);
    if (filter.state !== undefined) {
      query = query.where('runs.state', '=', rows.runStateNumber(filter.state));
    }
    const found = this.#all(query);
    const next = found.length > limit ? makeCursor([String(found[limit - 1]?.run_key)]) : undefined;
    return { items: found.slice(0, limit).map(rows.runView), next };
  }

  run(runId: string): rows.RunDetailView | undefined {
    const [run] = this.#all(this.#runQuery().where('runs.run_id', '=', runId).limit(1));
    if (run === undefined) return undefined;
    const results = builder
      .selectFrom('resource_results')
      .selectAll()
      .where('run_key', '=', run.run_key)
      .orderBy('position');
    return rows.runDetailView(run, this.#all(results));
  }

  /** Ids of runs that begin with these hexadecimal characters, at most `limit`. */
  runIds(prefix: string, limit: number): string[] {
    const query = builder
      .selectFrom('runs')
      .select('run_id')
      .where('run_id', '>=', prefix)
      .where('run_id', '<', `${prefix}g`)
      .limit(Math.min(limit, pageLimit));
    return this.#all(query).map(({ run_id }) => run_id);
  }

  /** Newest first. */
  policyHistory(limit: number): PolicyVersionView[] {
    const query = builder
      .selectFrom('policy_versions')
      .selectAll()
      .orderBy('version', 'desc')
      .limit(Math.min(limit, pageLimit));
    return this.#all(query).map(policyVersionView);
  }

  policyVersion(version: number): PolicyVersionView | undefined {
    const query = builder.selectFrom('policy_versions').selectAll().where('version', '=', version);
    return this.#all(query).map(policyVersionView)[0];
  }

  /** In order, each entry with the hash before it. */
  audit(filter: AuditFilter): Page<rows.AuditView> {
    const limit = Math.min(filter.limit, pageLimit);
    let query = builder
      .selectFrom('audit_log as entry')
      .leftJoin('audit_log as previous', (join) =>
        join.on((on) => on('previous.sequence', '=', on('entry.sequence', '-', on.lit(1)))),
      )
      .selectAll('entry')
      .select('previous.hash as previous_hash')
      .where('entry.sequence', '>', filter.afterSequence)
      .orderBy('entry.sequence', filter.newest ? 'desc' : 'asc')
      .limit(limit + 1);
    const { beforeSequence, type, actor, subject } = filter;
    if (beforeSequence !== undefined) query = query.where('entry.sequence', '<', beforeSequence);
    if (type?.endsWith('.*')) {
      const family = type.slice(0, -1);
      // The character behind the dot: what begins with the family stands between the two.
      query = query.where('entry.type', '>=', family);
      query = query.where('entry.type', '<', `${family.slice(0, -1)}/`);
    } else if (type !== undefined) query = query.where('entry.type', '=', type);
    if (actor !== undefined) query = query.where('entry.actor', '=', actor);
    if (subject !== undefined) query = query.where('entry.subject', '=', subject);
    const found = this.#all(query);
    if (filter.newest) {
      return { items: found.slice(0, limit).reverse().map(rows.auditView), next: undefined };
    }
    const next = found.length > limit ? String(found[limit - 1]?.sequence) : undefined;
    return { items: found.slice(0, limit).map(rows.auditView), next };
  }

  /** Versions of the agent, most envoys first. */
  agentVersions(): AgentVersionCount[] {
    return agentVersionCounts(this.#all(agentVersionQuery(builder)));
  }

  /** The envoy's traits document, canonical JSON. */
  traits(envoyId: string): string | undefined {
    const query = builder
      .selectFrom('traits')
      .select('traits_json')
      .where('envoy_id', '=', envoyId);
    return this.#all(query)[0]?.traits_json;
  }

  savedViews(owner: string): SavedView[] {
    return readSavedViews(this.#database, owner);
  }

  databaseBytes(): number {
    const pages = Number(this.#database.pragma('page_count', { simple: true }));
    return pages * Number(this.#database.pragma('page_size', { simple: true }));
  }

  #runQuery() {
    return builder
      .selectFrom('runs')
      .leftJoin('envoys', 'envoys.envoy_id', 'runs.envoy_id')
      .selectAll('runs')
      .select('envoys.hostname');
  }

  #all<Row>(query: Compilable<Row>): Row[] {
    const { sql, parameters } = query.compile();
    return this.#statements.all(sql, parameters);
  }
}

export type RunRow = Omit<RunsTable, 'run_key'> & { run_key: number; hostname: string | null };
