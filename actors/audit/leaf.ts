import { createHash } from 'node:crypto';
import type { Sha256 } from '../../agent/protocol/crypto.ts';
import { leafHash } from '../../agent/protocol/merkle.ts';
import type { AuditEvent } from './event.ts';

const encoder = new TextEncoder();

/** SHA-256 where no native library is at hand: in the database's migration, and offline. */
export const nodeSha256: Sha256 = {
  sha256Into(output, input) {
    output.set(createHash('sha256').update(input).digest());
  },
};

/** A leaf of the tree: an entry and its place in the log. */
export interface AuditEntry {
  /** 1, 2, 3, ...; the leaf's index is one less. */
  readonly sequence: number;
  readonly event: AuditEvent;
}

/**
 * The canonical entry, which is the leaf's data: the JSON array [sequence, id, atMs, type, actor,
 * subject, [[name, value], ...] sorted by name, traceparent or null], UTF-8, without white space.
 */
export function entryText({ sequence, event }: AuditEntry): string {
  const { id, atMs, type, actor, subject, traceparent } = event;
  const details = sortedDetails(event);
  return JSON.stringify([sequence, id, atMs, type, actor, subject, details, traceparent ?? null]);
}

/** RFC 6962: SHA-256(0x00, canonical entry). */
export function entryHash(entry: AuditEntry, crypto: Sha256 = nodeSha256): Uint8Array {
  return leafHash(encoder.encode(entryText(entry)), crypto);
}

export function sortedDetails(event: AuditEvent): [string, string | number | boolean][] {
  return Object.entries(event.details).sort(([left], [right]) =>
    left < right ? -1 : left > right ? 1 : 0,
  );
}
