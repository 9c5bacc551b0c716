import { type Generated, type Kysely, sql } from 'kysely';
import type { EnvoyIdentity } from './messages.ts';
import { identityColumns, identityOf } from './records.ts';
import type { SinkSchema } from './schema.ts';

/** Which identities changed since a store took them over, so that a start need not compare all. */
export interface IdentityChangesSchema {
  identity_changes: { number: Generated<number>; envoy_id: string };
  identity_opening: { id: number; opening: number };
}

/** How far the database's identities have come. */
export interface IdentityPosition {
  /** Starts so far: a store that took over at another one may lack more than later changes. */
  readonly opening: number;
  /** The last change. */
  readonly change: number;
}

/** Triggers, so that no way of writing an envoy can forget it. */
export async function createIdentityChanges(database: Kysely<unknown>): Promise<void> {
  await sql`CREATE TABLE identity_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, envoy_id TEXT NOT NULL)`.execute(database);
  await sql`CREATE TABLE identity_opening (
    id INTEGER PRIMARY KEY CHECK (id = 1), opening INTEGER NOT NULL)`.execute(database);
  await sql`INSERT INTO identity_opening VALUES (1, 0)`.execute(database);
  await sql`CREATE TRIGGER envoys_identity_made AFTER INSERT ON envoys BEGIN
    INSERT INTO identity_changes (envoy_id) VALUES (new.envoy_id); END`.execute(database);
  await sql`CREATE TRIGGER envoys_identity_changed
    AFTER UPDATE OF hostname, public_key, revoked_at_ms ON envoys BEGIN
    INSERT INTO identity_changes (envoy_id) VALUES (new.envoy_id); END`.execute(database);
}

/** The number of the last change stays when its row goes. */
export async function readIdentityPosition(reader: Kysely<SinkSchema>): Promise<IdentityPosition> {
  const { rows } = await sql<IdentityPosition>`SELECT
    (SELECT opening FROM identity_opening) AS opening,
    (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'identity_changes') AS change
    `.execute(reader);
  return rows[0] ?? { opening: 0, change: 0 };
}

/** Envoys that changed after the change `after` up to `through`, once each, by UUID. */
export async function readChangedIdentities(
  reader: Kysely<SinkSchema>,
  span: { readonly after: number; readonly through: number },
  afterId: string,
  limit: number,
): Promise<EnvoyIdentity[]> {
  const rows = await reader
    .selectFrom('envoys')
    .select(identityColumns)
    .where('envoy_id', 'in', (changes) =>
      changes
        .selectFrom('identity_changes')
        .select('envoy_id')
        .where('number', '>', span.after)
        .where('number', '<=', span.through),
    )
    .where('envoy_id', '>', afterId)
    .orderBy('envoy_id')
    .limit(limit)
    .execute();
  return rows.map(identityOf);
}

/** Returns the new opening. */
export async function beginIdentityOpening(database: Kysely<SinkSchema>): Promise<number> {
  const row = await database
    .updateTable('identity_opening')
    .set(({ eb }) => ({ opening: eb('opening', '+', 1) }))
    .returning('opening')
    .executeTakeFirstOrThrow();
  return row.opening;
}

/** A store has these for good. */
export async function dropIdentityChanges(
  database: Kysely<SinkSchema>,
  through: number,
): Promise<void> {
  await database.deleteFrom('identity_changes').where('number', '<=', through).execute();
}
