import { collectPaths } from '../../agent/policy/secret-references.ts';
import { toHex } from '../../agent/protocol/bytes.ts';
import type { Signer } from '../../agent/protocol/crypto.ts';
import type { SignedRehearsal } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { signRehearsal } from '../../agent/protocol/rehearsal.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { StoreReader } from '../../runtime/store.ts';
import type { PlanTables } from './tables.ts';

/** How late a shard may learn that envoys are asked. */
const viewAgeLimitMs = 200;
/** Candidates that one shard keeps for the envoys that fetch them. */
const documentCacheLimit = 16;

/** What a shard reads of rehearsals: nothing at all per check-in while nobody is asked. */
export interface RehearsalView {
  /** For the answer to a check-in; undefined when this envoy is not asked. */
  signedFor(envoyId: string, id: Uint8Array, signer: Signer): SignedRehearsal | undefined;
  /** References in the candidate that this envoy is asked to rehearse, when it has this root. */
  references(envoyId: string, root: Uint8Array): ReadonlySet<string> | undefined;
}

export function createRehearsalView(
  store: StoreReader,
  tables: PlanTables,
  clock: Clock,
): RehearsalView {
  let untilMs = 0;
  let readAtMs = Number.NEGATIVE_INFINITY;
  const documents = new Map<string, Buffer>();
  const document = (root: Uint8Array): Buffer | undefined => {
    const hex = toHex(root);
    const known = documents.get(hex);
    if (known !== undefined) return known;
    const loaded = store.get(tables.documents, hex);
    if (loaded === undefined) return undefined;
    const kept = Buffer.from(loaded);
    documents.set(hex, kept);
    for (const oldest of documents.keys()) {
      if (documents.size <= documentCacheLimit) break;
      documents.delete(oldest);
    }
    return kept;
  };
  return {
    signedFor(envoyId, id, signer) {
      const nowMs = clock.nowMs();
      if (clock.monotonicMs() - readAtMs >= viewAgeLimitMs) {
        untilMs = store.get(tables.current, 'current')?.untilMs ?? 0;
        readAtMs = clock.monotonicMs();
        if (nowMs >= untilMs) documents.clear();
      }
      if (nowMs >= untilMs) return undefined;
      const row = store.get(tables.rehearsals, envoyId);
      if (row === undefined || nowMs >= row.expiresAtMs) return undefined;
      const bytes = document(row.root);
      if (bytes === undefined) return undefined;
      const manifest = {
        planId: Buffer.from(row.planId),
        envoyId: Buffer.from(id),
        bundleRoot: Buffer.from(row.root),
        issuedAtMs: row.issuedAtMs,
        expiresAtMs: row.expiresAtMs,
      };
      return { manifest, signature: Buffer.from(signRehearsal(manifest, signer)), document: bytes };
    },
    references(envoyId, root) {
      const row = store.get(tables.rehearsals, envoyId);
      const open = row?.secrets === true && clock.nowMs() < row.expiresAtMs;
      if (!open || Buffer.compare(row.root, root) !== 0) return undefined;
      const bytes = document(row.root);
      const paths = new Set<string>();
      if (bytes !== undefined) collectPaths(JSON.parse(bytes.toString('utf8')), paths);
      return paths;
    },
  };
}
