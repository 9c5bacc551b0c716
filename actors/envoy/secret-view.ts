import { collectPaths } from '../../agent/policy/secret-references.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { currentEpochKey, type SecretEpochTable } from '../secrets/tables.ts';

/** How long a shard may answer by an older epoch than the newest. */
export const epochAgeLimitMs = 200;
/** Bundles whose references a shard keeps. */
export const referenceCacheLimit = 1024;

/** What a shard knows of secrets: which a bundle refers to, and when they last changed. No values. */
export interface SecretView {
  /** Paths that stand in the bundle; empty when the bundle is not there. */
  references(root: Uint8Array): ReadonlySet<string>;
  /** When the last of the bundle's secrets changed; 0 = never. */
  epochOf(root: Uint8Array): number;
  /** Whether a node that holds `epoch` must be told. Costs one comparison while nothing changes. */
  isOutdated(root: Uint8Array, epoch: number): boolean;
}

interface KnownBundle {
  readonly paths: ReadonlySet<string>;
  epoch: number;
  /** The newest epoch when `epoch` was looked up. */
  asOf: number;
}

export interface SecretViewParts {
  readonly store: StoreReader;
  readonly table: SecretEpochTable;
  /** The bundle document of a root. */
  readonly document: (root: Uint8Array) => Uint8Array | undefined;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export function createSecretView(parts: SecretViewParts): SecretView {
  const { store, table, document, clock } = parts;
  const bundles = new Map<string, KnownBundle>();
  let newest = 0;
  let readAtMs = Number.NEGATIVE_INFINITY;
  const current = (): number => {
    if (clock.monotonicMs() - readAtMs < epochAgeLimitMs) return newest;
    newest = store.get(table, currentEpochKey)?.epoch ?? 0;
    readAtMs = clock.monotonicMs();
    return newest;
  };
  const known = (root: Uint8Array): KnownBundle | undefined => {
    const key = Buffer.from(root.buffer, root.byteOffset, root.length).toString('latin1');
    const found = bundles.get(key);
    if (found !== undefined) return found;
    const bytes = document(root);
    if (bytes === undefined) return undefined;
    const bundle = { paths: pathsOf(bytes), epoch: 0, asOf: -1 };
    bundles.set(key, bundle);
    for (const oldest of bundles.keys()) {
      if (bundles.size <= referenceCacheLimit) break;
      bundles.delete(oldest);
    }
    return bundle;
  };
  const epochOf = (root: Uint8Array): number => {
    const asOf = current();
    if (asOf === 0) return 0;
    const bundle = known(root);
    if (bundle === undefined) return 0;
    if (bundle.asOf === asOf) return bundle.epoch;
    for (const path of bundle.paths)
      bundle.epoch = Math.max(bundle.epoch, store.get(table, path)?.epoch ?? 0);
    bundle.asOf = asOf;
    return bundle.epoch;
  };
  return {
    references: (root) => known(root)?.paths ?? new Set(),
    epochOf,
    isOutdated: (root, epoch) => current() > epoch && epochOf(root) > epoch,
  };
}

function pathsOf(document: Uint8Array): ReadonlySet<string> {
  const paths = new Set<string>();
  collectPaths(JSON.parse(new TextDecoder().decode(document)) as PolicyValue, paths);
  return paths;
}
