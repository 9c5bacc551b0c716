import { createHash } from 'node:crypto';
import { ServerError } from '../errors.ts';
import type { AuditEvent } from './event.ts';
import { sortedDetails } from './leaf.ts';

/**
 * The hash chain of the audit log. Entry n's hash is
 *   SHA-256( "vigo/audit/v1\n" || hash of entry n-1 (32 bytes) || n (8 bytes, big endian) || event )
 * where `event` is the JSON array [id, atMs, type, actor, subject, [[name, value], ...] sorted by
 * name, traceparent or null], UTF-8, without white space. Entry 1 follows the genesis hash.
 */
export interface AuditRow {
  /** 1, 2, 3, ... without gaps. */
  readonly sequence: number;
  readonly event: AuditEvent;
  /** SHA-256, hex. */
  readonly hash: string;
}

/** Where a chain stands: the sequence and hash of its last entry. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
}

const domain = 'vigo/audit/v1\n';

export const genesisHead: AuditHead = {
  sequence: 0,
  hash: createHash('sha256').update('vigo/audit/genesis/v1').digest('hex'),
};

export const auditTextLimit = 1024;
export const auditDetailLimit = 32;

/** The entry that follows `head`. */
export function appendToChain(head: AuditHead, event: AuditEvent): AuditRow {
  const sequence = head.sequence + 1;
  return { sequence, event, hash: chainHash(head.hash, sequence, event) };
}

/** Throws AUDIT_CHAIN_BROKEN when `row` does not follow `head`; else the head behind it. */
export function followChain(head: AuditHead, row: AuditRow): AuditHead {
  const expected = head.sequence + 1;
  if (row.sequence !== expected) {
    const reason = `entry ${expected} is missing, the next one found is ${row.sequence}`;
    throw new ServerError('AUDIT_CHAIN_BROKEN', { sequence: expected, reason });
  }
  if (chainHash(head.hash, row.sequence, row.event) !== row.hash) {
    const reason = 'its content does not match its hash';
    throw new ServerError('AUDIT_CHAIN_BROKEN', { sequence: row.sequence, reason });
  }
  return { sequence: row.sequence, hash: row.hash };
}

/**
 * Walks a whole log, in constant memory, and returns its head. A log that was cut at its end is
 * a valid shorter log: only a head that was noted elsewhere (`expected`) shows the cut. The
 * expected head may be an earlier one: then the log must contain it.
 */
export async function verifyChain(
  rows: Iterable<AuditRow> | AsyncIterable<AuditRow>,
  expected?: string,
): Promise<AuditHead> {
  let head = genesisHead;
  let found = expected === undefined || expected === genesisHead.hash;
  for await (const row of rows) {
    head = followChain(head, row);
    if (head.hash === expected) found = true;
  }
  if (!found) {
    throw new ServerError('AUDIT_HEAD_MISMATCH', {
      sequence: head.sequence,
      head: head.hash,
      expected: expected ?? '',
    });
  }
  return head;
}

/** The event as the log keeps it: bounded, and equal to what the database gives back. */
export function normalizeEvent(event: AuditEvent): AuditEvent {
  const entries = Object.entries(event.details).slice(0, auditDetailLimit);
  const details = entries.map(([name, value]) => [boundedText(name), boundedValue(value)] as const);
  return {
    id: boundedText(event.id),
    atMs: Number.isFinite(event.atMs) ? Math.trunc(event.atMs) : 0,
    type: boundedText(event.type),
    actor: boundedText(event.actor),
    subject: boundedText(event.subject),
    details: Object.fromEntries(details),
    ...(event.traceparent === undefined ? {} : { traceparent: boundedText(event.traceparent) }),
  };
}

function chainHash(previousHash: string, sequence: number, event: AuditEvent): string {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(sequence));
  return createHash('sha256')
    .update(domain)
    .update(Buffer.from(previousHash, 'hex'))
    .update(number)
    .update(eventText(event))
    .digest('hex');
}

function eventText(event: AuditEvent): string {
  const { id, atMs, type, actor, subject, traceparent } = event;
  const details = sortedDetails(event);
  return JSON.stringify([id, atMs, type, actor, subject, details, traceparent ?? null]);
}

function boundedValue(value: string | number | boolean): string | number | boolean {
  if (typeof value === 'boolean') return value;
  // -0 and what JSON has no word for would come back from the database as something else.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : String(value);
  return boundedText(String(value));
}

function boundedText(text: string): string {
  // Through UTF-8, so that a lone surrogate becomes what the database would make of it.
  return Buffer.from(text.slice(0, auditTextLimit)).toString().replaceAll('\0', '\ufffd');
}
