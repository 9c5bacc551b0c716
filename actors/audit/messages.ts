import type { TreeHead } from '../../agent/protocol/transparency/proof.ts';
import type { Address } from '../../runtime/actor.ts';

/** Signs checkpoints of the audit log and collects what envoys say to them. In the service pool. */
export type AuditMessages = {
  /** From the sink: the log may have new entries. `urgent`: worth a checkpoint at once. */
  grown: { payload: { urgent: boolean }; reply: undefined };
  /** The actor's own timer: make the checkpoint that was held back, or tell of it what was not told. */
  checkpoint: { payload: { publishAnyway?: boolean }; reply: undefined };
  /** At the start, before envoys come: shards are told the newest checkpoint. */
  recover: { payload: Record<string, never>; reply: { size: number } };
  /** From a shard: an envoy holds a checkpoint of this size, and no proof from there is at hand. */
  wanted: { payload: { size: number }; reply: undefined };
  /** From an envoy's actor: the 72 bytes of its cosignature of the checkpoint of this size. */
  cosigned: { payload: StoredCosignature; reply: undefined };
  /** The actor's own timer: store the cosignatures that came. */
  flush: { payload: Record<string, never>; reply: undefined };
  /** An administrator's word that the log was restored and is shorter than envoys remember it. */
  acknowledgeRestore: {
    payload: RestoreStatement & { by: string };
    reply: { sequence: number; size: number };
  };
};

export interface RestoreStatement {
  /** Envoys that remember a log of up to so many entries take the restored one. */
  readonly through: number;
  readonly reason: string;
}

/** The type of the entry that acknowledges a restore; envoys know it. */
export const restoreAcknowledgedType = 'audit.restore_acknowledged';

export interface StoredCheckpoint extends TreeHead {
  /** The signed note, without cosignatures. */
  readonly note: string;
  readonly atMs: number;
}

export interface StoredCosignature {
  readonly size: number;
  readonly envoyId: string;
  /** 8 bytes of seconds, 64 of signature. */
  readonly payload: Uint8Array;
}

/** Cosignatures that are kept of one checkpoint; more are not even verified. */
export const witnessLimit = 64;

export function auditAddress(): Address<AuditMessages> {
  return { kind: 'audit', key: 'main' };
}
