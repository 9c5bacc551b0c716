import { type AuditHead, verifyChain } from '../../../actors/audit/chain.ts';
import { readAuditRows } from '../../../actors/sink/audit-rows.ts';
import { openReadOnlyDatabase } from '../../../actors/sink/connection.ts';

export interface RunRow {
  readonly envoy_id: string;
  readonly report_sequence: number;
}

/** What the server's database holds, read from outside. */
export class TestDatabase {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  rows<Row>(query: string, ...parameters: unknown[]): Row[] {
    const database = openReadOnlyDatabase(this.#file);
    try {
      return database.prepare(query).all(...parameters) as Row[];
    } finally {
      database.close();
    }
  }

  /** Report sequences by envoy, in order. */
  reports(): Map<string, number[]> {
    const found = new Map<string, number[]>();
    const query = 'SELECT envoy_id, report_sequence FROM runs ORDER BY envoy_id, report_sequence';
    for (const row of this.rows<RunRow>(query)) {
      const list = found.get(row.envoy_id) ?? [];
      list.push(row.report_sequence);
      found.set(row.envoy_id, list);
    }
    return found;
  }

  auditTypes(): string[] {
    return this.rows<{ type: string }>('SELECT type FROM audit_log').map(({ type }) => type);
  }

  /** Rejects when the audit chain is broken. */
  verifyAudit(): Promise<AuditHead> {
    return verifyChain(readAuditRows(this.#file));
  }
}

/** Waits until `check` holds; the time is only an upper limit. */
export async function eventually(check: () => boolean, limitMs = 60_000): Promise<boolean> {
  const untilMs = Date.now() + limitMs;
  while (!check()) {
    if (Date.now() > untilMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
