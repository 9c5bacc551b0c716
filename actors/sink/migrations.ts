import { type Kysely, sql } from 'kysely';
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration';
import { ServerError } from '../errors.ts';
import { createAccountTables } from './account-tables.ts';
import { createAdminTokensTable } from './admin-tokens.ts';
import { createAuditTreeTables } from './audit-tree-tables.ts';
import { addCertificateEnds } from './ending-certificates.ts';
import { addAgentUpdates } from './envoy-updates.ts';
import { createFederationTables } from './federation-records.ts';
import { createFleetIndexes, createFleetStateTables } from './fleet-tables.ts';
import { createIdentityChanges } from './identity-changes.ts';
import { addUndeterminedScores, createPlanTables } from './plan-tables.ts';
import { addPolicyVersionDetails } from './policy-versions.ts';
import type { SinkSchema } from './schema.ts';
import { sinkError } from './sink-error.ts';

/** In order, never edited once released: a change of the schema is a new entry. */
const migrations: Record<string, Migration> = {
  '0001-fleet': { up: createFleetTables },
  '0002-audit': { up: createAuditTables },
  '0003-admin-tokens': { up: createAdminTokensTable },
  '0004-plans': { up: createPlanTables },
  '0005-policy-versions': { up: addPolicyVersionDetails },
  '0006-undetermined': { up: addUndeterminedScores },
  '0007-audit-tree': { up: createAuditTreeTables },
  '0008-agent-updates': { up: addAgentUpdates },
  '0009-accounts': { up: createAccountTables },
  '0010-federation': { up: createFederationTables },
  '0011-fleet-states': { up: createFleetStateTables },
  '0012-fleet-indexes': { up: createFleetIndexes },
  '0013-identity-changes': { up: createIdentityChanges },
  '0014-certificate-ends': { up: addCertificateEnds },
};

const provider: MigrationProvider = { getMigrations: async () => migrations };

/** Brings the database to this version's schema; does nothing when it is there already. */
export async function migrate(database: Kysely<SinkSchema>): Promise<string[]> {
  const migrator = new Migrator({ db: database, provider });
  await refuseNewerSchema(database);
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const known = sinkError(error);
    if (known !== undefined) throw known;
    const name = results?.find((result) => result.status === 'Error')?.migrationName ?? 'unknown';
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServerError('SINK_MIGRATION_FAILED', { name, reason }, { cause: error });
  }
  return (results ?? []).map((result) => result.migrationName);
}

async function refuseNewerSchema(database: Kysely<SinkSchema>): Promise<void> {
  const tables = await database.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(database);
  const newer = rows.map((row) => row.name).filter((name) => !Object.hasOwn(migrations, name));
  if (newer.length > 0) {
    const known = Object.keys(migrations).at(-1) ?? '';
    throw new ServerError('SINK_NEWER_SCHEMA', { found: newer.sort().at(-1) ?? '', known });
  }
}

async function createFleetTables(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('envoys')
    .addColumn('envoy_id', 'text', (column) => column.primaryKey())
    .addColumn('hostname', 'text', (column) => column.notNull())
    .addColumn('public_key', 'blob', (column) => column.notNull())
    .addColumn('agent_version', 'text', (column) => column.notNull())
    .addColumn('certificate_serial', 'text', (column) => column.notNull())
    .addColumn('enrolled_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('revoked_at_ms', 'bigint')
    .addColumn('revoked_reason', 'text')
    .addColumn('last_seen_ms', 'bigint')
    .addColumn('state', 'integer', (column) => column.notNull())
    .addColumn('policy_version', 'bigint')
    .addColumn('settled_report_sequence', 'bigint', (column) => column.notNull())
    .execute();
  await schema
    .createIndex('envoys_hostname')
    .on('envoys')
    .columns(['hostname', 'envoy_id'])
    .execute();
  await schema
    .createTable('tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('match', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('used_at_ms', 'bigint')
    .addColumn('used_by', 'text')
    .addColumn('revoked_at_ms', 'bigint')
    .execute();
  await createRunTables(database);
  await schema
    .createTable('policy_versions')
    .addColumn('version', 'bigint', (column) => column.primaryKey())
    .addColumn('published_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('published_by', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('stack_hash', 'text', (column) => column.notNull())
    .addColumn('bundle_roots', 'text', (column) => column.notNull())
    .addColumn('changed_envoys', 'bigint', (column) => column.notNull())
    .execute();
}

const runCounts = [
  'policy_version',
  'started_at_ms',
  'duration_ms',
  'received_at_ms',
  'state',
  'dry_run',
  'policy_changed',
  'offline',
  'total',
  'unchanged',
  'created',
  'updated',
  'deleted',
  'skipped',
  'blocked',
  'failed',
];

async function createRunTables(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  let runs = schema
    .createTable('runs')
    .addColumn('run_key', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('run_id', 'text', (column) => column.notNull())
    .addColumn('envoy_id', 'text', (column) => column.notNull())
    .addColumn('report_sequence', 'bigint', (column) => column.notNull())
    .addColumn('bundle_root', 'text', (column) => column.notNull())
    .addColumn('incidents', 'text', (column) => column.notNull());
  for (const name of runCounts) {
    runs = runs.addColumn(name, 'bigint', (column) => column.notNull());
  }
  await runs.addUniqueConstraint('runs_once', ['envoy_id', 'report_sequence']).execute();
  await schema.createIndex('runs_run_id').on('runs').column('run_id').execute();
  await schema
    .createTable('resource_results')
    .addColumn('run_key', 'integer', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('resource_id', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('action', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('diff', 'text', (column) => column.notNull())
    .addColumn('error_code', 'text', (column) => column.notNull())
    .addColumn('duration_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('resource_results_key', ['run_key', 'position'])
    .execute();
  await schema
    .createTable('traits')
    .addColumn('envoy_id', 'text', (column) => column.primaryKey())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('traits_json', 'text', (column) => column.notNull())
    .addColumn('received_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}

async function createAuditTables(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('audit_log')
    .addColumn('sequence', 'bigint', (column) => column.primaryKey())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .addColumn('traceparent', 'text')
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute();
  await database.schema
    .createIndex('audit_log_type')
    .on('audit_log')
    .columns(['type', 'sequence'])
    .execute();
  await database.schema
    .createTable('outbox_progress')
    .addColumn('store_id', 'bigint', (column) => column.primaryKey())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .execute();
}
