import type { Kysely, Transaction } from 'kysely';
import { ServerError } from '../errors.ts';
import type { AccountKeyRecord, IdentityRecord } from '../federation/messages.ts';
import type { SinkSchema } from './schema.ts';

/** Keys and provider identities of accounts. */
export interface FederationSchema {
  account_keys: AccountKeysTable;
  account_identities: AccountIdentitiesTable;
}

export interface AccountKeysTable {
  fingerprint: string;
  /** Hex. */
  public_key: string;
  account_id: string;
  comment: string;
  created_at_ms: number;
  created_by: string;
}

export interface AccountIdentitiesTable {
  issuer: string;
  subject: string;
  account_id: string;
  created_at_ms: number;
  created_by: string;
}

/** What the federation actor writes. `limit` is of one account. */
export type FederationWrite =
  | { readonly record: 'accountKey'; readonly key: AccountKeyRecord; readonly limit: number }
  | {
      readonly record: 'accountKeyRemoved';
      readonly accountId: string;
      readonly fingerprint: string;
    }
  | { readonly record: 'identity'; readonly identity: IdentityRecord; readonly limit: number }
  | { readonly record: 'identitiesRemoved'; readonly accountId: string; readonly issuer: string };

type Writer = Transaction<SinkSchema>;

export async function createFederationTables(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('account_keys')
    .addColumn('fingerprint', 'text', (column) => column.primaryKey())
    .addColumn('public_key', 'text', (column) => column.notNull().unique())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('comment', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .execute();
  await schema
    .createIndex('account_keys_account')
    .on('account_keys')
    .column('account_id')
    .execute();
  await schema
    .createTable('account_identities')
    .addColumn('issuer', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('account_identities_key', ['issuer', 'subject'])
    .execute();
  await schema
    .createIndex('account_identities_account')
    .on('account_identities')
    .column('account_id')
    .execute();
}

/** Rejects with SINK_CONFLICT; a reason that begins with "limit" says that the account has too many. */
export async function applyFederationWrite(writer: Writer, write: FederationWrite): Promise<void> {
  switch (write.record) {
    case 'accountKey':
      return await insertKey(writer, write.key, write.limit);
    case 'accountKeyRemoved':
      return await removeKey(writer, write);
    case 'identity':
      return await insertIdentity(writer, write.identity, write.limit);
    case 'identitiesRemoved':
      await writer
        .deleteFrom('account_identities')
        .where('account_id', '=', write.accountId)
        .where('issuer', '=', write.issuer)
        .execute();
      return;
  }
}

async function insertKey(writer: Writer, key: AccountKeyRecord, limit: number): Promise<void> {
  await forgetDeletedAccounts(writer, 'account_keys');
  await refuseBeyond(writer, 'account_keys', key.accountId, limit);
  const known = await writer
    .selectFrom('account_keys')
    .select('account_id')
    .where('fingerprint', '=', key.fingerprint)
    .executeTakeFirst();
  if (known !== undefined) throw conflict(`the key ${key.fingerprint} is taken`);
  const { fingerprint, publicKey, accountId, comment, createdAtMs, createdBy } = key;
  await writer
    .insertInto('account_keys')
    .values({
      fingerprint,
      public_key: publicKey,
      account_id: accountId,
      comment,
      created_at_ms: createdAtMs,
      created_by: createdBy,
    })
    .execute();
}

async function removeKey(
  writer: Writer,
  { accountId, fingerprint }: { accountId: string; fingerprint: string },
): Promise<void> {
  const { numDeletedRows } = await writer
    .deleteFrom('account_keys')
    .where('account_id', '=', accountId)
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  if (numDeletedRows !== 1n) throw conflict(`the key ${fingerprint} is unknown`);
}

async function insertIdentity(
  writer: Writer,
  { issuer, subject, accountId, createdAtMs, createdBy }: IdentityRecord,
  limit: number,
): Promise<void> {
  await forgetDeletedAccounts(writer, 'account_identities');
  await refuseBeyond(writer, 'account_identities', accountId, limit);
  const known = await writer
    .selectFrom('account_identities')
    .select('account_id')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst();
  if (known !== undefined) throw conflict(`the subject ${subject} is taken`);
  await writer
    .insertInto('account_identities')
    .values({
      issuer,
      subject,
      account_id: accountId,
      created_at_ms: createdAtMs,
      created_by: createdBy,
    })
    .execute();
}

type ProofTable = 'account_keys' | 'account_identities';

async function refuseBeyond(
  writer: Writer,
  table: ProofTable,
  accountId: string,
  limit: number,
): Promise<void> {
  const { count } = await writer
    .selectFrom(table)
    .select((expression) => expression.fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  if (count >= limit) throw conflict('limit');
}

/** Who left and came back has a new account, and may bring the old key. */
async function forgetDeletedAccounts(writer: Writer, table: ProofTable): Promise<void> {
  await writer
    .deleteFrom(table)
    .where('account_id', 'in', (query) =>
      query.selectFrom('accounts').select('id').where('deleted_at_ms', 'is not', null),
    )
    .execute();
}

function conflict(reason: string): ServerError {
  return new ServerError('SINK_CONFLICT', { reason });
}
