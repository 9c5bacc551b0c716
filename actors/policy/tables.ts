import type { Codec, Table } from '../../runtime/store.ts';

/**
 * What publish and enrollment write and fleet shards read. These tables stand in the service
 * thread's store; shards open it read-only.
 */
export interface CurrentPolicy {
  readonly version: number;
  readonly publishedAtMs: number;
}

/** Who an envoy is. The durable truth is in SQL; this row is rebuilt from it. */
export interface IdentityRow {
  readonly hostname: string;
  readonly publicKey: Uint8Array;
  readonly revoked: boolean;
  /** Taken from SQL when the row was made; a shard without hot state starts from it. */
  readonly settledReportSequence: number;
}

export interface PolicyTables {
  /** One row, key "current". */
  readonly current: Table<CurrentPolicy>;
  /** Hex root -> bundle document (canonical JSON). */
  readonly bundles: Table<Uint8Array>;
  /** Envoy UUID -> root, 32 bytes. */
  readonly assignments: Table<Uint8Array>;
  /** Envoy UUID -> identity. */
  readonly identities: Table<IdentityRow>;
}

/** Largest fleet of one server. */
export const envoyLimit = 1_000_000;
/** Distinct bundles kept, live and recent. */
export const bundleLimit = 100_000;

export function policyTables(codec: <V>() => Codec<V>, bytes: Codec<Uint8Array>): PolicyTables {
  return {
    current: { name: 'policy-current', codec: codec(), rowLimit: 1 },
    bundles: { name: 'bundles', codec: bytes, rowLimit: bundleLimit },
    assignments: { name: 'assignments', codec: bytes, rowLimit: envoyLimit },
    identities: { name: 'identities', codec: codec(), rowLimit: envoyLimit },
  };
}
