import type { Kysely, Transaction } from 'kysely';
import type { AccountRecord, SessionRecord } from '../accounts/messages.ts';
import { ServerError } from '../errors.ts';
import { accountRecord, accountRow, sessionRow } from './account-rows.ts';
import type { SinkSchema } from './schema.ts';

/** Ended sessions are kept this long, for people who ask who was there. */
const endedSessionsKeptMs = 30 * 86_400_000;
/** Sessions of one account that are kept; the oldest go first. */
const sessionsPerAccount = 100;

/** What the accounts actor writes. */
export type AccountWrite =
  | { readonly record: 'account'; readonly account: AccountRecord }
  /** Replaces the whole row; the one actor reads and writes it in one turn. */
  | { readonly record: 'accountChanged'; readonly account: AccountRecord }
  | { readonly record: 'session'; readonly session: SessionRecord }
  | { readonly record: 'sessionUsed'; readonly id: string; readonly atMs: number }
  | {
      readonly record: 'sessionsEnded';
      readonly accountId: string;
      /** Only this one. */
      readonly only?: string;
      /** All but this one. */
      readonly except?: string;
      readonly atMs: number;
      readonly reason: string;
    };

type Writer = Transaction<SinkSchema>;

export async function applyAccountWrite(writer: Writer, write: AccountWrite): Promise<void> {
  switch (write.record) {
    case 'account':
      return await insertAccount(writer, write.account);
    case 'accountChanged':
      return await replaceAccount(writer, write.account);
    case 'session':
      return await insertSession(writer, write.session);
    case 'sessionUsed':
      await writer
        .updateTable('sessions')
        .set({ last_used_ms: write.atMs })
        .where('id', '=', write.id)
        .where('last_used_ms', '<', write.atMs)
        .execute();
      return;
    case 'sessionsEnded':
      return await endSessions(writer, write);
  }
}

/** Names are never given twice, so that the audit log means one person by one name. */
async function insertAccount(writer: Writer, account: AccountRecord): Promise<void> {
  const { name, createdAtMs } = account;
  const token = await writer
    .selectFrom('admin_tokens')
    .select('id')
    .where('name', '=', name)
    .where('revoked_at_ms', 'is', null)
    .where((where) =>
      where.or([where('expires_at_ms', 'is', null), where('expires_at_ms', '>', createdAtMs)]),
    )
    .executeTakeFirst();
  const known = await writer
    .selectFrom('accounts')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst();
  if (token !== undefined || known !== undefined) {
    throw new ServerError('SINK_CONFLICT', { reason: `the name ${name} is taken` });
  }
  await writer.insertInto('accounts').values(accountRow(account)).execute();
}

async function replaceAccount(writer: Writer, account: AccountRecord): Promise<void> {
  const { id, ...columns } = accountRow(account);
  const { numUpdatedRows } = await writer
    .updateTable('accounts')
    .set(columns)
    .where('id', '=', id)
    .executeTakeFirst();
  if (numUpdatedRows === 1n) return;
  throw new ServerError('SINK_CONFLICT', { reason: `account ${id} is unknown` });
}

async function insertSession(writer: Writer, session: SessionRecord): Promise<void> {
  const { accountId, createdAtMs } = session;
  await writer.insertInto('sessions').values(sessionRow(session)).execute();
  await writer
    .deleteFrom('sessions')
    .where('account_id', '=', accountId)
    .where((where) =>
      where.or([
        where('ended_at_ms', '<', createdAtMs - endedSessionsKeptMs),
        where('expires_at_ms', '<', createdAtMs - endedSessionsKeptMs),
        where(
          'id',
          'in',
          where
            .selectFrom('sessions')
            .select('id')
            .where('account_id', '=', accountId)
            .orderBy('created_at_ms', 'desc')
            .orderBy('id')
            .limit(-1)
            .offset(sessionsPerAccount),
        ),
      ]),
    )
    .execute();
}

async function endSessions(
  writer: Writer,
  { accountId, only, except, atMs, reason }: AccountWrite & { record: 'sessionsEnded' },
): Promise<void> {
  let query = writer
    .updateTable('sessions')
    .set({ ended_at_ms: atMs, ended_because: reason })
    .where('account_id', '=', accountId)
    .where('ended_at_ms', 'is', null);
  if (only !== undefined) query = query.where('id', '=', only);
  if (except !== undefined) query = query.where('id', '!=', except);
  await query.execute();
}

/** Reads for the accounts actor, through the sink's own connection: it sees every write before. */
export class AccountStore {
  readonly #use: <T>(run: (database: Kysely<SinkSchema>) => Promise<T>) => Promise<T>;

  constructor(use: <T>(run: (database: Kysely<SinkSchema>) => Promise<T>) => Promise<T>) {
    this.#use = use;
  }

  async byId(id: string): Promise<AccountRecord | undefined> {
    return await this.#one('id', id);
  }

  async byName(name: string): Promise<AccountRecord | undefined> {
    return await this.#one('name', name);
  }

  /** Also disabled and deleted ones: the first-run setup is over for ever. */
  async any(): Promise<boolean> {
    const row = await this.#use((database) =>
      database.selectFrom('accounts').select('id').limit(1).executeTakeFirst(),
    );
    return row !== undefined;
  }

  /** Ids of administrators who are neither disabled nor deleted. */
  async admins(): Promise<string[]> {
    const rows = await this.#use((database) =>
      database
        .selectFrom('accounts')
        .select('id')
        .where('role', '=', 'admin')
        .where('disabled_at_ms', 'is', null)
        .where('deleted_at_ms', 'is', null)
        .execute(),
    );
    return rows.map(({ id }) => id);
  }

  /** The account that the session belongs to; undefined for an unknown session. */
  async ownerOf(sessionId: string): Promise<string | undefined> {
    const row = await this.#use((database) =>
      database
        .selectFrom('sessions')
        .select('account_id')
        .where('id', '=', sessionId)
        .executeTakeFirst(),
    );
    return row?.account_id;
  }

  async #one(column: 'id' | 'name', value: string): Promise<AccountRecord | undefined> {
    const row = await this.#use((database) =>
      database.selectFrom('accounts').selectAll().where(column, '=', value).executeTakeFirst(),
    );
    return row && accountRecord(row);
  }
}
