import { toHex } from '../../agent/protocol/bytes.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { StoreReader } from '../../runtime/store.ts';
import type { IdentityRow, PolicyTables } from '../policy/tables.ts';
import type { PolicyForEnvoy } from './rules.ts';

/** How long a shard may answer by an older policy version than the one just published. */
export const versionAgeLimitMs = 200;
/** Documents and their bytes that one shard keeps for the envoys that fetch after a publish. */
export const documentCacheLimit = 256;
export const documentCacheBytesLimit = 64 * 1024 * 1024;

/** Identities kept of envoys that are connected; one more makes room for itself. */
export const identityCacheLimit = 50_000;
/** A kept identity is read again after this time, also while its envoy stays connected. */
export const identityAgeLimitMs = 30_000;

/** What a shard reads of the policy, without a store read per check-in for the version. */
export interface PolicyView {
  /** 0 = nothing was published. */
  currentVersion(): number;
  /** Read afresh, version and root of one moment. */
  assigned(envoyId: string): PolicyForEnvoy;
  document(root: Uint8Array): Uint8Array | undefined;
  identity(envoyId: string): IdentityRow | undefined;
  /** The envoy (re)connects or leaves: read its identity anew when it is needed. */
  forget(envoyId: string): void;
}

export function createPolicyView(
  store: StoreReader,
  tables: PolicyTables,
  clock: Clock,
): PolicyView {
  let version = 0;
  let readAtMs = Number.NEGATIVE_INFINITY;
  const documents = createDocumentCache((hex) => store.get(tables.bundles, hex));
  const identities = new Map<string, KnownIdentity>();
  const readVersion = (): number => {
    version = store.get(tables.current, 'current')?.version ?? 0;
    readAtMs = clock.monotonicMs();
    return version;
  };
  return {
    currentVersion: () =>
      clock.monotonicMs() - readAtMs >= versionAgeLimitMs ? readVersion() : version,
    assigned(envoyId) {
      const root = store.get(tables.assignments, envoyId);
      return { version: readVersion(), root: root && Uint8Array.from(root) };
    },
    document: (root) => documents(toHex(root)),
    identity(envoyId) {
      const nowMs = clock.monotonicMs();
      const known = identities.get(envoyId);
      if (known !== undefined && nowMs - known.readAtMs < identityAgeLimitMs) return known.row;
      const row = store.get(tables.identities, envoyId);
      if (row === undefined) return undefined;
      if (known === undefined) makeRoom(identities);
      identities.set(envoyId, { row, readAtMs: nowMs });
      return row;
    },
    forget: (envoyId) => {
      identities.delete(envoyId);
    },
  };
}

interface KnownIdentity {
  readonly row: IdentityRow;
  readonly readAtMs: number;
}

function makeRoom(identities: Map<string, KnownIdentity>): void {
  if (identities.size < identityCacheLimit) return;
  for (const oldest of identities.keys()) {
    identities.delete(oldest);
    return;
  }
}

/** Least recently used documents leave first. */
function createDocumentCache(
  load: (hex: string) => Uint8Array | undefined,
): (hex: string) => Uint8Array | undefined {
  const cache = new Map<string, Uint8Array>();
  let bytes = 0;
  return (hex) => {
    const known = cache.get(hex);
    if (known !== undefined) {
      cache.delete(hex);
      cache.set(hex, known);
      return known;
    }
    const loaded = load(hex);
    if (loaded === undefined) return undefined;
    const document = Uint8Array.from(loaded);
    cache.set(hex, document);
    bytes += document.length;
    for (const [oldest, evicted] of cache) {
      if (cache.size <= documentCacheLimit && bytes <= documentCacheBytesLimit) break;
      cache.delete(oldest);
      bytes -= evicted.length;
    }
    return document;
  };
}
