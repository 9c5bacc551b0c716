import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import {
  type AuditHead,
  type AuditRow,
  appendToChain,
  genesisHead,
  normalizeEvent,
} from '../audit/chain.ts';
import type { AuditEvent } from '../audit/event.ts';
import { isAuditEventType } from '../audit/event-types.ts';
import { extendTree } from './audit-tree.ts';
import { insertChunk } from './limits.ts';
import type { AuditLogTable, SinkSchema } from './schema.ts';

/** The head of the log as it is on disk. */
export async function readHead(reader: Kysely<SinkSchema>): Promise<AuditHead> {
  const row = await reader
    .selectFrom('audit_log')
    .select(['sequence', 'hash'])
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? genesisHead;
}

/** Appends what is not in the log yet, in the caller's transaction; returns the new head and entries. */
export async function appendEvents(
  writer: Transaction<SinkSchema>,
  events: readonly AuditEvent[],
): Promise<{ head: AuditHead; rows: readonly AuditRow[] }> {
  let head = await readHead(writer);
  const fresh = await withoutKnown(writer, events.map(listed));
  const { sequence: size } = head;
  const rows = fresh.map((event) => {
    const row = appendToChain(head, event);
    head = { sequence: row.sequence, hash: row.hash };
    return row;
  });
  const stored = rows.map(auditColumns);
  for (let at = 0; at < stored.length; at += insertChunk) {
    await writer
      .insertInto('audit_log')
      .values(stored.slice(at, at + insertChunk))
      .execute();
  }
  await extendTree(writer, size, rows);
  return { head, rows };
}

/** An event for what a part of the server sent and nobody could read. Same input, same id. */
export function unreadableEvent(origin: string, sequence: number, atMs: number): AuditEvent {
  return {
    id: createHash('sha256').update(`unreadable ${origin} ${sequence} ${atMs}`).digest('hex'),
    atMs,
    type: 'sink.event_unreadable',
    actor: 'server',
    subject: origin,
    details: { sequence },
  };
}

function listed(event: AuditEvent): AuditEvent {
  const normal = normalizeEvent(event);
  if (isAuditEventType(normal.type)) return normal;
  const details = { ...normal.details, type: normal.type };
  return { ...normal, type: 'audit.unlisted_type', details };
}

async function withoutKnown(
  writer: Transaction<SinkSchema>,
  events: readonly AuditEvent[],
): Promise<AuditEvent[]> {
  const byId = new Map(events.map((event) => [event.id, event]));
  const ids = [...byId.keys()];
  for (let at = 0; at < ids.length; at += insertChunk) {
    const known = await writer
      .selectFrom('audit_log')
      .select('id')
      .where('id', 'in', ids.slice(at, at + insertChunk))
      .execute();
    for (const { id } of known) byId.delete(id);
  }
  return [...byId.values()];
}

function auditColumns(row: AuditRow): AuditLogTable {
  const { event } = row;
  return {
    sequence: row.sequence,
    id: event.id,
    at_ms: event.atMs,
    type: event.type,
    actor: event.actor,
    subject: event.subject,
    details: JSON.stringify(event.details),
    traceparent: event.traceparent ?? null,
    hash: row.hash,
  };
}
