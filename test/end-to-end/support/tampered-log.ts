import Database from 'better-sqlite3';
import { type AuditRow, appendToChain, genesisHead } from '../../../actors/audit/chain.ts';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import { entryHash, nodeSha256 } from '../../../actors/audit/leaf.ts';
import { GrowingTree } from '../../../actors/audit/tree.ts';
import { readAuditRows } from '../../../actors/sink/audit-rows.ts';

const lockWaitMs = 5_000;

/** What root on the server can do to the audit log, behind the back of the running server. */
export class TamperedLog {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Makes the log these events, with a chain and a tree that are right; returns what it was. */
  change(change: (events: AuditEvent[]) => readonly AuditEvent[]): AuditEvent[] {
    const database = new Database(this.#file, { timeout: lockWaitMs });
    try {
      // The lock comes first: what the server appends meanwhile would be lost unseen.
      return database
        .transaction(() => {
          const before = [...readAuditRows(this.#file)].map(({ event }) => event);
          write(database, change([...before]));
          return before;
        })
        .immediate();
    } finally {
      database.close();
    }
  }
}

function write(database: Database.Database, events: readonly AuditEvent[]): void {
  database.exec('DELETE FROM audit_log; DELETE FROM audit_nodes');
  const addEntry = database.prepare(
    'INSERT INTO audit_log (sequence, id, at_ms, type, actor, subject, details, traceparent, hash)' +
      ' VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const addNode = database.prepare(
    'INSERT INTO audit_nodes (level, position, hash) VALUES (?, ?, ?)',
  );
  const tree = new GrowingTree(0, [], nodeSha256);
  let head = genesisHead;
  for (const event of events) {
    const row: AuditRow = appendToChain(head, event);
    head = row;
    const { id, atMs, type, actor, subject, details, traceparent } = event;
    const texts = [id, atMs, type, actor, subject, JSON.stringify(details), traceparent ?? null];
    addEntry.run(row.sequence, ...texts, row.hash);
    for (const { level, position, hash } of tree.add(entryHash(row)))
      addNode.run(level, position, hash);
  }
}
