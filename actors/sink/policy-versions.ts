import type { Kysely, Transaction } from 'kysely';
import type { Approval, VersionCounts, VersionOrigin } from '../publish/version.ts';
import type { PolicyVersionsTable, SinkSchema } from './schema.ts';

/** A policy version as the history keeps it, for ever. */
export interface PolicyVersionRecord {
  readonly record: 'policyVersion';
  readonly version: number;
  readonly publishedAtMs: number;
  readonly publishedBy: string;
  readonly message: string;
  /** SHA-256 over the stack's files, hex. */
  readonly stackHash: string;
  readonly origin: VersionOrigin;
  readonly counts: VersionCounts;
  readonly approval?: Approval;
  readonly planId?: string;
}

/** What the column `details` holds; rows of older releases hold nothing. */
type Details = Partial<Pick<PolicyVersionRecord, 'origin' | 'counts' | 'approval' | 'planId'>>;

export interface PolicyVersionView {
  readonly version: number;
  readonly publishedAtMs: number;
  readonly publishedBy: string;
  readonly message: string;
  /** Hex SHA-256 of the stack. */
  readonly contentHash: string;
  readonly origin: VersionOrigin;
  readonly bundles: number;
  readonly changedEnvoys: number;
  /** Absent for versions of older releases. */
  readonly counts?: VersionCounts;
  readonly approval?: Approval;
  readonly planId?: string;
}

export async function addPolicyVersionDetails(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .alterTable('policy_versions')
    .addColumn('details', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute();
}

/** The same version again, after a lost answer, is not an error; another one under its number is. */
export async function insertPolicyVersion(
  writer: Transaction<SinkSchema>,
  {
    record: _,
    version,
    publishedAtMs,
    publishedBy,
    message,
    stackHash,
    ...more
  }: PolicyVersionRecord,
): Promise<void> {
  const existing = await writer
    .selectFrom('policy_versions')
    .select(['stack_hash', 'published_at_ms'])
    .where('version', '=', version)
    .executeTakeFirst();
  if (existing?.stack_hash === stackHash && existing.published_at_ms === publishedAtMs) return;
  const details: Details = more;
  await writer
    .insertInto('policy_versions')
    .values({
      version,
      published_at_ms: publishedAtMs,
      published_by: publishedBy,
      message,
      stack_hash: stackHash,
      bundle_roots: '[]',
      changed_envoys: more.counts.changedEnvoys,
      details: JSON.stringify(details),
    })
    .execute();
}

export function policyVersionView(row: PolicyVersionsTable): PolicyVersionView {
  const { origin, counts, approval, planId } = JSON.parse(row.details) as Details;
  const roots = JSON.parse(row.bundle_roots) as string[];
  return {
    version: row.version,
    publishedAtMs: row.published_at_ms,
    publishedBy: row.published_by,
    message: row.message,
    contentHash: row.stack_hash,
    origin: origin ?? { kind: 'publish' },
    bundles: counts?.bundles ?? roots.length,
    changedEnvoys: row.changed_envoys,
    ...(counts === undefined ? {} : { counts }),
    ...(approval === undefined ? {} : { approval }),
    ...(planId === undefined ? {} : { planId }),
  };
}
