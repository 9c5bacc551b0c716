import type { AuditRow } from '../audit/chain.ts';
import type { AuditEvent } from '../audit/event.ts';

/** A row of `audit_log`. */
export interface StoredAuditRow {
  sequence: number;
  id: string;
  at_ms: number;
  type: string;
  actor: string;
  subject: string;
  /** JSON object. */
  details: string;
  traceparent: string | null;
  hash: string;
}

/** A row as a database holds it. */
export function auditRow(row: StoredAuditRow): AuditRow {
  return {
    sequence: row.sequence,
    hash: row.hash,
    event: {
      id: row.id,
      atMs: row.at_ms,
      type: row.type,
      actor: row.actor,
      subject: row.subject,
      details: JSON.parse(row.details) as AuditEvent['details'],
      ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    },
  };
}
