import type { AuditRow } from '../audit/chain.ts';
import { ServerError } from '../errors.ts';
import { auditRow } from './audit-row.ts';
import { openReadOnlyDatabase } from './connection.ts';
import type { AuditLogTable } from './schema.ts';

/** Streams the audit log of a database file in order. Throws AUDIT_UNREADABLE. */
export function* readAuditRows(file: string): Generator<AuditRow> {
  const unreadable = (cause: unknown): ServerError => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new ServerError('AUDIT_UNREADABLE', { file, reason }, { cause });
  };
  let database: ReturnType<typeof openReadOnlyDatabase>;
  try {
    database = openReadOnlyDatabase(file);
  } catch (error) {
    throw unreadable(error);
  }
  try {
    const statement = database.prepare<[], AuditLogTable>(
      'select * from audit_log order by sequence',
    );
    for (const row of statement.iterate()) yield auditRow(row);
  } catch (error) {
    throw error instanceof ServerError ? error : unreadable(error);
  } finally {
    database.close();
  }
}
