import type { Kysely, Transaction } from 'kysely';
import type { AccessRole, AdminTokenRecord, AdminTokenView } from '../access/messages.ts';
import { ServerError } from '../errors.ts';
import type { AdminTokensTable, SinkSchema } from './schema.ts';

type Writer = Transaction<SinkSchema>;

export async function createAdminTokensTable(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('admin_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('token_sha256', 'text', (column) => column.notNull().unique())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint')
    .addColumn('last_used_ms', 'bigint')
    .addColumn('revoked_at_ms', 'bigint')
    .execute();
  await database.schema
    .createIndex('admin_tokens_name')
    .on('admin_tokens')
    .column('name')
    .execute();
}

/** Rejects with SINK_CONFLICT when a token of the name is valid, or an account had it: one name is one person. */
export async function insertAdminToken(writer: Writer, token: AdminTokenRecord): Promise<void> {
  const valid = await writer
    .selectFrom('admin_tokens')
    .select('id')
    .where('name', '=', token.name)
    .where('revoked_at_ms', 'is', null)
    .where((where) =>
      where.or([
        where('expires_at_ms', 'is', null),
        where('expires_at_ms', '>', token.createdAtMs),
      ]),
    )
    .executeTakeFirst();
  const person = await writer
    .selectFrom('accounts')
    .select('id')
    .where('name', '=', token.name)
    .executeTakeFirst();
  if (valid !== undefined || person !== undefined) {
    throw new ServerError('SINK_CONFLICT', { reason: `the name ${token.name} is taken` });
  }
  await writer.insertInto('admin_tokens').values(adminTokenRow(token)).execute();
}

/** The first revocation counts. Rejects with SINK_CONFLICT when there is no such token. */
export async function revokeAdminToken(writer: Writer, id: string, atMs: number): Promise<void> {
  const { numUpdatedRows } = await writer
    .updateTable('admin_tokens')
    .set((expression) => ({
      revoked_at_ms: expression.fn.coalesce('revoked_at_ms', expression.val(atMs)),
    }))
    .where('id', '=', id)
    .executeTakeFirst();
  if (numUpdatedRows === 1n) return;
  throw new ServerError('SINK_CONFLICT', { reason: `token ${id} is unknown` });
}

export async function markAdminTokenUsed(writer: Writer, id: string, atMs: number): Promise<void> {
  await writer
    .updateTable('admin_tokens')
    .set({ last_used_ms: atMs })
    .where('id', '=', id)
    .execute();
}

export function adminTokenRecord(row: AdminTokensTable): AdminTokenRecord {
  return {
    id: row.id,
    name: row.name,
    role: row.role as AccessRole,
    tokenSha256: row.token_sha256,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    expiresAtMs: row.expires_at_ms ?? undefined,
    lastUsedMs: row.last_used_ms ?? undefined,
    revokedAtMs: row.revoked_at_ms ?? undefined,
    accountId: row.account_id ?? undefined,
    permissions: listOf(row.permissions),
    envoys: listOf(row.envoys),
  };
}

export function adminTokenView(row: AdminTokensTable): AdminTokenView {
  const { tokenSha256: _proof, ...view } = adminTokenRecord(row);
  return view;
}

function adminTokenRow(token: AdminTokenRecord): AdminTokensTable {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    token_sha256: token.tokenSha256,
    created_at_ms: token.createdAtMs,
    created_by: token.createdBy,
    expires_at_ms: token.expiresAtMs ?? null,
    last_used_ms: token.lastUsedMs ?? null,
    revoked_at_ms: token.revokedAtMs ?? null,
    account_id: token.accountId ?? null,
    permissions: textOf(token.permissions),
    envoys: textOf(token.envoys),
  };
}

function listOf(text: string | null): string[] | undefined {
  return text === null ? undefined : (JSON.parse(text) as string[]);
}

function textOf(list: readonly string[] | undefined): string | null {
  return list === undefined ? null : JSON.stringify(list);
}
