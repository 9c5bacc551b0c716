import type { Codec, Table } from '../../runtime/store.ts';

/** The newest checkpoint as shards hand it to envoys. */
export interface CheckpointRow {
  readonly size: number;
  /** The first 32 bits of the root. */
  readonly mark: number;
  /** The signed note. */
  readonly note: string;
  /** The newest acknowledged restore; for envoys that hold up to `through` entries. */
  readonly restored?: {
    readonly through: number;
    readonly entry: string;
    /** In this checkpoint. */
    readonly inclusionProof: Uint8Array;
  };
}

/** Consistency proofs to the checkpoint of `size`. */
export interface ProofsRow {
  readonly size: number;
  /** Older size, as text -> hashes one behind the other. */
  readonly from: Readonly<Record<string, Uint8Array>>;
}

/** In the service thread's store, made anew from SQL; shards open it read-only. */
export interface AuditTables {
  /** One row, key "current". */
  readonly checkpoint: Table<CheckpointRow>;
  /** One row, key "current"; read only by who has to prove something. */
  readonly proofs: Table<ProofsRow>;
}

export function auditTables(codec: <V>() => Codec<V>): AuditTables {
  return {
    checkpoint: { name: 'audit-checkpoint', codec: codec(), rowLimit: 1 },
    proofs: { name: 'audit-proofs', codec: codec(), rowLimit: 1 },
  };
}
