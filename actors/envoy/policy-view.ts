import { toHex } from '../../agent/protocol/bytes.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { exposureTest } from '../policy/exposure.ts';
import {
  type CurrentPolicy,
  generationKey,
  groupFor,
  type IdentityRow,
  type PolicyTables,
} from '../policy/tables.ts';
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

/** Generations that a shard keeps decoded: two in force, and those just replaced. */
export const generationCacheLimit = 4;

export interface PolicyMoment {
  readonly version: number;
  /** Rises with every version and every stage of a rollout. */
  readonly revision: number;
}

const nothingPublished: PolicyMoment = { version: 0, revision: 0 };

/** What a shard reads of the policy, without a store read per check-in for the version. */
export interface PolicyView {
  /** Version 0 = nothing was published. */
  current(): PolicyMoment;
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
  let moment = nothingPublished;
  let readAtMs = Number.NEGATIVE_INFINITY;
  const documents = createDocumentCache((hex) => store.get(tables.bundles, hex));
  const identities = new Map<string, KnownIdentity>();
  const generations = createGenerations(store, tables);
  const exposures = createExposures();
  const readCurrent = (): CurrentPolicy | undefined => {
    const current = store.get(tables.current, 'current');
    moment = current ?? nothingPublished;
    readAtMs = clock.monotonicMs();
    return current;
  };
  const identity = (envoyId: string): IdentityRow | undefined => {
    const nowMs = clock.monotonicMs();
    const known = identities.get(envoyId);
    if (known !== undefined && nowMs - known.readAtMs < identityAgeLimitMs) return known.row;
    const row = store.get(tables.identities, envoyId);
    if (row === undefined) return undefined;
    if (known === undefined) makeRoom(identities);
    identities.set(envoyId, { row, readAtMs: nowMs });
    return row;
  };
  return {
    current() {
      if (clock.monotonicMs() - readAtMs >= versionAgeLimitMs) readCurrent();
      return moment;
    },
    assigned(envoyId) {
      const current = readCurrent();
      const row = store.get(tables.assignments, envoyId);
      if (current === undefined || row === undefined) return { ...moment, root: undefined };
      const generation = exposures(current, envoyId, () => identity(envoyId)?.hostname ?? '');
      return { ...moment, root: generations(generation)?.(groupFor(row, generation)) };
    },
    document: (root) => documents(toHex(root)),
    identity,
    forget: (envoyId) => {
      identities.delete(envoyId);
    },
  };
}

/** Group -> root of a generation; undefined when the store has no such generation (any more). */
function createGenerations(
  store: StoreReader,
  tables: PolicyTables,
): (generation: number) => ((group: string) => Uint8Array) | undefined {
  const cache = new Map<number, (group: string) => Uint8Array>();
  return (generation) => {
    const known = cache.get(generation);
    if (known !== undefined) return known;
    const row = store.get(tables.generations, generationKey(generation));
    if (row === undefined) return undefined;
    const roots = new Map(row.groups.map(({ key, root }) => [key, Uint8Array.from(root)]));
    const empty = Uint8Array.from(row.emptyRoot);
    const lookUp = (group: string) => roots.get(group) ?? empty;
    cache.set(generation, lookUp);
    for (const oldest of cache.keys()) {
      if (cache.size <= generationCacheLimit) break;
      cache.delete(oldest);
    }
    return lookUp;
  };
}

/** The generation that an envoy gets; the rule of a stage is made once per revision. */
function createExposures(): (
  current: CurrentPolicy,
  envoyId: string,
  hostname: () => string,
) => number {
  let revision = -1;
  let test: ReturnType<typeof exposureTest> = () => false;
  return (current, envoyId, hostname) => {
    const { exposure } = current;
    if (exposure === undefined) return current.generation;
    if (revision !== current.revision) {
      test = exposureTest(exposure);
      revision = current.revision;
    }
    return test(envoyId, hostname()) ? exposure.generation : current.generation;
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
