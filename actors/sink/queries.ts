import type Database from 'better-sqlite3';
import {
  type Compilable,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import picomatch from 'picomatch';
import type { AdminTokenRecord, AdminTokenView } from '../access/messages.ts';
import { AccountQueries } from './account-queries.ts';
import { adminTokenRecord, adminTokenView } from './admin-tokens.ts';
import { type AgentVersionCount, agentVersionCounts, agentVersionQuery } from './agent-versions.ts';
import { AuditQueries } from './audit-queries.ts';
import { openReadOnlyDatabase } from './connection.ts';
import { FederationQueries } from './federation-queries.ts';
import { FleetFigureQueries } from './fleet-figures.ts';
import { PlanQueries } from './plan-queries.ts';
import { type PolicyVersionView, policyVersionView } from './policy-versions.ts';
import * as rows from './query-rows.ts';
import type { RunsTable, SinkSchema } from './schema.ts';
import { countSqlStatement } from './statement-counter.ts';

export type { FleetFigures } from './fleet-figures.ts';

/** Builds queries; runs none. */
const builder = new Kysely<SinkSchema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** Most rows of one page. */
export const pageLimit = 500;
/** Tokens that are listed, newest first. */
const tokenListLimit = 10_000;
/** Rows that a glob may look at for one page. */
const scanLimit = 20_000;

export interface Page<Row> {
  readonly items: readonly Row[];
  /** Cursor of the following page; undefined on the last. */
  readonly next: string | undefined;
}

export interface EnvoyFilter {
  /** Glob on the host name. */
  readonly match?: string;
  /** A name of `stateNames`, or "revoked". */
  readonly state?: string;
  readonly cursor?: string;
  readonly limit: number;
}

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
  readonly accounts: AccountQueries;
  readonly federation: FederationQueries;
  readonly plans: PlanQueries;
  readonly auditTree: AuditQueries;
  readonly figures: FleetFigureQueries;

  constructor(file: string) {
    this.#database = openReadOnlyDatabase(file);
    this.accounts = new AccountQueries(this.#database);
    this.federation = new FederationQueries(this.#database);
    this.plans = new PlanQueries(this.#database);
    this.auditTree = new AuditQueries(this.#database);
    this.figures = new FleetFigureQueries(this.#database);
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
    const query = builder
      .selectFrom('admin_tokens')
      .selectAll()
      .where('token_sha256', '=', tokenSha256);
    const [row] = this.#all(query);
    return row && adminTokenRecord(row);
  }

  /** By host name, then id. */
  envoys(filter: EnvoyFilter): Page<rows.EnvoyView> {
    const limit = Math.min(filter.limit, pageLimit);
    const matches = filter.match === undefined ? () => true : picomatch(filter.match);
    const found: rows.EnvoyView[] = [];
    let after = readCursor(filter.cursor, 2);
    for (let scanned = 0; scanned < scanLimit; scanned += pageLimit) {
      const page = this.#envoyPage(filter.state, after);
      for (const row of page) {
        if (!matches(row.hostname)) continue;
        if (found.length === limit) return { items: found, next: envoyCursor(found.at(-1)) };
        found.push(rows.envoyView(row));
      }
      const last = page.at(-1);
      if (last === undefined || page.length < pageLimit) return { items: found, next: undefined };
      after = [last.hostname, last.envoy_id];
    }
    return { items: found, next: makeCursor(after ?? []) };
  }

  /** By UUID or host name, not revoked ones first. */
  findEnvoys(nameOrId: string): rows.EnvoyView[] {
    const query = builder
      .selectFrom('envoys')
      .selectAll()
      .where((where) =>
        where.or([where('envoy_id', '=', nameOrId), where('hostname', '=', nameOrId)]),
      )
      .orderBy('revoked_at_ms')
      .orderBy('enrolled_at_ms', 'desc')
      .limit(pageLimit);
    return this.#all(query).map(rows.envoyView);
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
      query = query.where('runs.state', '=', rows.stateNumber(filter.state));
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

  /** Envoys by state; "revoked" ones are in no other state. */
  envoyCounts(): Record<string, number> {
    const query = builder
      .selectFrom('envoys')
      .select(['state', (select) => select.fn.countAll<number>().as('envoys')])
      .select((select) => select('revoked_at_ms', 'is not', null).as('revoked'))
      .groupBy(['state', 'revoked']);
    const counts: Record<string, number> = {};
    for (const row of this.#all(query)) {
      const name = row.revoked ? rows.revokedState : rows.stateName(row.state);
      counts[name] = (counts[name] ?? 0) + row.envoys;
    }
    return counts;
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

  #envoyPage(state: string | undefined, after: readonly string[] | undefined) {
    let query = builder
      .selectFrom('envoys')
      .selectAll()
      .orderBy('hostname')
      .orderBy('envoy_id')
      .limit(pageLimit);
    if (state === rows.revokedState) query = query.where('revoked_at_ms', 'is not', null);
    else if (state !== undefined) {
      query = query.where('revoked_at_ms', 'is', null).where('state', '=', rows.stateNumber(state));
    }
    const [hostname, envoyId] = after ?? [];
    if (hostname !== undefined && envoyId !== undefined) {
      query = query.where((where) =>
        where.or([
          where('hostname', '>', hostname),
          where.and([where('hostname', '=', hostname), where('envoy_id', '>', envoyId)]),
        ]),
      );
    }
    return this.#all(query);
  }

  #all<Row>(query: Compilable<Row>): Row[] {
    const { sql, parameters } = query.compile();
    countSqlStatement();
    return this.#database.prepare(sql).all(...parameters) as Row[];
  }
}

export type RunRow = Omit<RunsTable, 'run_key'> & { run_key: number; hostname: string | null };

function envoyCursor(last: rows.EnvoyView | undefined): string | undefined {
  return last === undefined ? undefined : makeCursor([last.hostname, last.id]);
}

function makeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The parts of a cursor that we made; anything else starts from the beginning. */
function readCursor(cursor: string | undefined, parts: number): string[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const valid = Array.isArray(value) && value.length === parts;
    return valid && value.every((part) => typeof part === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
