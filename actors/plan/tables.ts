import type { Codec, Table } from '../../runtime/store.ts';
import { rehearsalLimit } from './messages.ts';

/** What an envoy is asked to dry-run, until it answers. */
export interface RehearsalRow {
  /** 16 bytes. */
  readonly planId: Uint8Array;
  /** Of the candidate, 32 bytes. */
  readonly root: Uint8Array;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** The envoy may have the candidate's secrets: not before a second person approved, where one must. */
  readonly secrets: boolean;
}

/** In the service thread's store; shards open it read-only. */
export interface PlanTables {
  /** One row, key "current": until when any envoy is asked, so that a check-in looks no further else. */
  readonly current: Table<{ readonly untilMs: number }>;
  /** Envoy UUID -> what it is asked. */
  readonly rehearsals: Table<RehearsalRow>;
  /** Hex root -> candidate document (canonical JSON). */
  readonly documents: Table<Uint8Array>;
}

/** Documents of candidates at a moment. */
export const candidateLimit = 2_000;

export function planTables(codec: <V>() => Codec<V>, bytes: Codec<Uint8Array>): PlanTables {
  return {
    current: { name: 'rehearsal-current', codec: codec(), rowLimit: 1 },
    rehearsals: { name: 'rehearsals', codec: codec(), rowLimit: rehearsalLimit },
    documents: { name: 'rehearsal-documents', codec: bytes, rowLimit: candidateLimit },
  };
}
