import type Database from 'better-sqlite3';
import type { AccountView, OwnedSession, SessionView } from '../accounts/messages.ts';
import { accountView, sessionRecord, sessionView } from './account-rows.ts';
import type { AccountsTable, SessionsTable } from './account-tables.ts';
import { Statements } from './statements.ts';

/** Accounts that are listed, by name. */
const accountListLimit = 10_000;
const sessionListLimit = 100;

/** What people ask about accounts; see SinkQueries. */
export class AccountQueries {
  readonly #statements: Statements;

  constructor(database: Database.Database) {
    this.#statements = new Statements(database);
  }

  /** By name; without deleted ones. */
  list(): AccountView[] {
    return this.#all<AccountsTable>(
      'SELECT * FROM accounts WHERE deleted_at_ms IS NULL ORDER BY name LIMIT ?',
      accountListLimit,
    ).map(accountView);
  }

  /** By id or by name; not a deleted one. */
  find(nameOrId: string): AccountView | undefined {
    const [row] = this.#all<AccountsTable>(
      'SELECT * FROM accounts WHERE (id = ? OR name = ?) AND deleted_at_ms IS NULL',
      nameOrId,
      nameOrId,
    );
    return row && accountView(row);
  }

  /** Whether there was ever one. */
  any(): boolean {
    return this.#all('SELECT id FROM accounts LIMIT 1').length > 0;
  }

  /** By the SHA-256 of the token, hex; also an ended session, and one of a disabled account. */
  session(tokenSha256: string): OwnedSession | undefined {
    const [session] = this.#all<SessionsTable>(
      'SELECT * FROM sessions WHERE token_sha256 = ?',
      tokenSha256,
    );
    if (session === undefined) return undefined;
    const [account] = this.#all<AccountsTable>(
      'SELECT * FROM accounts WHERE id = ?',
      session.account_id,
    );
    return account && { session: sessionRecord(session), account: accountView(account) };
  }

  /** Newest first. */
  sessions(accountId: string): SessionView[] {
    return this.#all<SessionsTable>(
      'SELECT * FROM sessions WHERE account_id = ? ORDER BY created_at_ms DESC, id LIMIT ?',
      accountId,
      sessionListLimit,
    ).map(sessionView);
  }

  #all<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.#statements.all(sql, values);
  }
}
