import type { Codec, Table } from '../../runtime/store.ts';
import type { RolloutState } from '../rollout/state.ts';
import type { Exposure } from './exposure.ts';
import { identityCodec } from './identity-codec.ts';

/**
 * What publish and enrollment write and fleet shards read. These tables stand in the service
 * thread's store; shards open it read-only.
 *
 * An envoy is in a group (the stack's entry that matches its host name), and a generation (a compiled
 * stack) gives each group its bundle. So a change of one module rewrites the generation and no envoy's row,
 * a rollback is one row, and so is each stage of a rollout.
 */
export interface CurrentPolicy {
  readonly version: number;
  readonly publishedAtMs: number;
  /** Rises whenever any envoy may have to enforce something else, so also between stages. */
  readonly revision: number;
  readonly generation: number;
  /** During a staged rollout: who already gets another generation. */
  readonly exposure?: Exposure & { readonly generation: number };
}

/** A compiled stack, by group. Never changed once a version names it. */
export interface GenerationRow {
  readonly stackHash: string;
  /** In the order in which they are tried. */
  readonly groups: readonly GenerationGroup[];
  /** Of the empty bundle, for envoys that no entry matches. */
  readonly emptyRoot: Uint8Array;
}

export interface GenerationGroup {
  /** Stays the same from one stack to the next as long as the patterns do. */
  readonly key: string;
  /** Globs of host names. */
  readonly match: readonly string[];
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** The group of an envoy that no entry matches. */
export const noGroup = '';

export interface AssignmentRow {
  /** For generations from `since` on. */
  readonly group: string;
  readonly since: number;
  /** For older generations; absent: `group`. */
  readonly before?: string;
}

export function groupFor(row: AssignmentRow, generation: number): string {
  return generation >= row.since ? row.group : (row.before ?? row.group);
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
  /** Key `generationKey`. The live one and the one before it. */
  readonly generations: Table<GenerationRow>;
  /** Hex root -> bundle document (canonical JSON). */
  readonly bundles: Table<Uint8Array>;
  /** Envoy UUID -> group. */
  readonly assignments: Table<AssignmentRow>;
  /** Envoy UUID -> identity. */
  readonly identities: Table<IdentityRow>;
  /** One row, key "current": the rollout under way or the last one. */
  readonly rollout: Table<RolloutState>;
}

/** Largest fleet of one server. */
export const envoyLimit = 1_000_000;
/** Distinct bundles kept, live and recent. */
export const bundleLimit = 100_000;
/** Generations in the store at a moment: live, before it, and one being made or removed. */
export const generationLimit = 16;

export function generationKey(generation: number): string {
  return String(generation);
}

export function policyTables(codec: <V>() => Codec<V>, bytes: Codec<Uint8Array>): PolicyTables {
  return {
    current: { name: 'policy-current', codec: codec(), rowLimit: 1 },
    generations: { name: 'generations', codec: codec(), rowLimit: generationLimit },
    bundles: { name: 'bundles', codec: bytes, rowLimit: bundleLimit },
    assignments: { name: 'groups', codec: codec(), rowLimit: envoyLimit },
    identities: { name: 'identity', codec: identityCodec, rowLimit: envoyLimit },
    rollout: { name: 'rollout', codec: codec(), rowLimit: 1 },
  };
}
