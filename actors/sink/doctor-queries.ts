import type Database from 'better-sqlite3';
import { openReadOnlyDatabase } from './connection.ts';
import { endingCertificates } from './ending-certificates.ts';
import type { EndingCertificates } from './fleet-views.ts';
import { Statements } from './statements.ts';

/** What the database tells the doctor of the fleet. */
export interface FleetRows {
  readonly policyVersion: number;
  readonly envoys: number;
  readonly offline: { readonly count: number; readonly names: readonly string[] };
  readonly agents: readonly { readonly version: string; readonly envoys: number }[];
  readonly skewed: readonly string[];
  readonly ahead: { readonly count: number; readonly version: number };
  readonly unacknowledgedRestore: { readonly through: number } | undefined;
  /** Client certificates that nobody renewed. */
  readonly certificates: EndingCertificates;
}

const dayMs = 86_400_000;
/** Names that are read; people are shown fewer. */
const namesLimit = 20;
const versionsLimit = 50;

/** Opens the database to read, and closes it. Throws what SQLite says. */
export function readFleetRows(file: string, nowMs: number, offlineAfterMs: number): FleetRows {
  const database = openReadOnlyDatabase(file);
  try {
    const silentSinceMs = nowMs - offlineAfterMs;
    const policyVersion = number(database, 'select max(version) from policy_versions');
    return {
      policyVersion,
      envoys: number(database, 'select count(*) from envoys where revoked_at_ms is null'),
      offline: {
        count: number(database, `select count(*) ${silent}`, silentSinceMs),
        names: texts(
          database,
          `select hostname ${silent} order by last_seen_ms desc limit ${namesLimit}`,
          silentSinceMs,
        ),
      },
      agents: database
        .prepare(
          `select agent_version as version, count(*) as envoys from envoys
           where revoked_at_ms is null group by agent_version limit ${versionsLimit}`,
        )
        .all() as { version: string; envoys: number }[],
      skewed: texts(
        database,
        `select distinct coalesce(envoys.hostname, audit_log.subject) from audit_log
         left join envoys on envoys.envoy_id = replace(audit_log.actor, 'envoy:', '')
         where type = 'request.clock_skew' and at_ms > ? limit ${namesLimit}`,
        nowMs - dayMs,
      ),
      ahead: {
        count: number(database, `select count(*) ${aheadOf}`, policyVersion),
        version: number(database, `select max(policy_version) ${aheadOf}`, policyVersion),
      },
      unacknowledgedRestore: unacknowledged(database),
      certificates: certificatesOf(database, nowMs),
    };
  } finally {
    database.close();
  }
}

/** Those that never came are not offline yet. */
const silent = 'from envoys where revoked_at_ms is null and last_seen_ms < ?';
const aheadOf = 'from envoys where revoked_at_ms is null and policy_version > ?';

/** A database that the server of this version has not opened yet does not know their ends. */
function certificatesOf(database: Database.Database, nowMs: number): EndingCertificates {
  const columns = texts(database, `select name from pragma_table_info('envoys')`);
  if (columns.includes('certificate_ends_ms')) {
    return endingCertificates(new Statements(database), nowMs);
  }
  const none = { count: 0, firstEndsMs: undefined, examples: [] };
  return { ended: none, ending: none };
}

function unacknowledged(database: Database.Database): { through: number } | undefined {
  const newest = (type: string) =>
    database
      .prepare('select sequence, details from audit_log where type = ? order by sequence desc')
      .get(type) as { sequence: number; details: string } | undefined;
  const restored = newest('backup.restored');
  if (restored === undefined) return undefined;
  if ((newest('audit.restore_acknowledged')?.sequence ?? 0) > restored.sequence) return undefined;
  const { auditEntries, auditEntriesBefore } = JSON.parse(restored.details) as {
    auditEntries: number;
    auditEntriesBefore: number;
  };
  return { through: Math.max(auditEntries, auditEntriesBefore) };
}

function number(database: Database.Database, query: string, ...values: number[]): number {
  return Number(
    database
      .prepare(query)
      .pluck()
      .get(...values) ?? 0,
  );
}

function texts(database: Database.Database, query: string, ...values: number[]): string[] {
  return database
    .prepare(query)
    .pluck()
    .all(...values)
    .map(String);
}
