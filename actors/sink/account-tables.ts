import type { Kysely } from 'kysely';

/** People and their sessions; admin_tokens says on whose behalf a token acts, and what it is limited to. */
export interface AccountSchema {
  accounts: AccountsTable;
  sessions: SessionsTable;
}

export interface AccountsTable {
  id: string;
  name: string;
  display_name: string;
  email: string;
  role: string;
  /** JSON array of {role, envoys}. */
  grants: string;
  /** argon2id, PHC string. */
  password_hash: string | null;
  must_change_password: number;
  totp_sealed: string | null;
  totp_step: number;
  /** JSON array of hex. */
  recovery_hashes: string;
  created_at_ms: number;
  created_by: string;
  password_changed_at_ms: number | null;
  last_login_ms: number | null;
  disabled_at_ms: number | null;
  deleted_at_ms: number | null;
}

export interface SessionsTable {
  id: string;
  account_id: string;
  /** Hex. */
  token_sha256: string;
  method: string;
  created_at_ms: number;
  last_used_ms: number;
  expires_at_ms: number;
  ended_at_ms: number | null;
  ended_because: string;
  peer_address: string;
  user_agent: string;
}

export async function createAccountTables(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('accounts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('grants', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text')
    .addColumn('must_change_password', 'integer', (column) => column.notNull())
    .addColumn('totp_sealed', 'text')
    .addColumn('totp_step', 'bigint', (column) => column.notNull())
    .addColumn('recovery_hashes', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('password_changed_at_ms', 'bigint')
    .addColumn('last_login_ms', 'bigint')
    .addColumn('disabled_at_ms', 'bigint')
    .addColumn('deleted_at_ms', 'bigint')
    .execute();
  await schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('token_sha256', 'text', (column) => column.notNull().unique())
    .addColumn('method', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_used_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('ended_because', 'text', (column) => column.notNull())
    .addColumn('peer_address', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .execute();
  await schema
    .createIndex('sessions_account')
    .on('sessions')
    .columns(['account_id', 'created_at_ms'])
    .execute();
  await schema.alterTable('admin_tokens').addColumn('account_id', 'text').execute();
  await schema.alterTable('admin_tokens').addColumn('permissions', 'text').execute();
  await schema.alterTable('admin_tokens').addColumn('envoys', 'text').execute();
}
