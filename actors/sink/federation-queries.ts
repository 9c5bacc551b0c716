import type Database from 'better-sqlite3';
import type { AccountKeyRecord, IdentityRecord } from '../federation/messages.ts';
import type { AccountIdentitiesTable, AccountKeysTable } from './federation-records.ts';
import { Statements } from './statements.ts';

/** Beyond what an account may have; the actor keeps to less. */
const rowsMax = 100;

/** Keys and provider identities, as the login asks for them; see SinkQueries. */
export class FederationQueries {
  readonly #statements: Statements;

  constructor(database: Database.Database) {
    this.#statements = new Statements(database);
  }

  /** Oldest first. */
  keys(accountId: string): AccountKeyRecord[] {
    return this.#all<AccountKeysTable>(
      'SELECT * FROM account_keys WHERE account_id = ? ORDER BY created_at_ms, fingerprint LIMIT ?',
      accountId,
      rowsMax,
    ).map((row) => ({
      fingerprint: row.fingerprint,
      publicKey: row.public_key,
      accountId: row.account_id,
      comment: row.comment,
      createdAtMs: row.created_at_ms,
      createdBy: row.created_by,
    }));
  }

  identities(accountId: string): IdentityRecord[] {
    return this.#all<AccountIdentitiesTable>(
      'SELECT * FROM account_identities WHERE account_id = ? ORDER BY issuer, subject LIMIT ?',
      accountId,
      rowsMax,
    ).map(identityRecord);
  }

  /** Whom the provider means; undefined when it is nobody here. */
  identity(issuer: string, subject: string): IdentityRecord | undefined {
    const [row] = this.#all<AccountIdentitiesTable>(
      'SELECT * FROM account_identities WHERE issuer = ? AND subject = ?',
      issuer,
      subject,
    );
    return row && identityRecord(row);
  }

  #all<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.#statements.all(sql, values);
  }
}

function identityRecord(row: AccountIdentitiesTable): IdentityRecord {
  return {
    issuer: row.issuer,
    subject: row.subject,
    accountId: row.account_id,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
  };
}
