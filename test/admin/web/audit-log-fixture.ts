import { appendToChain, genesisHead } from '../../../actors/audit/chain.ts';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import { entryHash, entryText, nodeSha256 } from '../../../actors/audit/leaf.ts';
import {
  consistencyFolds,
  foldHashes,
  GrowingTree,
  inclusionFolds,
  type NodeFold,
} from '../../../actors/audit/tree.ts';
import { checkpointView } from '../../../actors/audit/view.ts';
import type {
  AuditView,
  CheckpointView,
  ConsistencyView,
  InclusionView,
} from '../../../admin/api/backend.ts';
import { nodeSigner } from '../../../agent/platform/crypto.ts';
import { toBase64 } from '../../../agent/protocol/transparency/base64.ts';
import { signCheckpoint } from '../../../agent/protocol/transparency/checkpoint.ts';

/** A whole audit log in memory, with the checkpoints and proofs that the API would answer. */
export interface AuditLogFixture {
  readonly entries: readonly AuditView[];
  checkpoint(size?: number): CheckpointView;
  inclusion(sequence: number, size?: number): InclusionView;
  consistency(from: number, to: number): ConsistencyView;
}

/** `seed`: another log has another key. */
export function auditLogOf(events: readonly AuditEvent[], seed = 4): AuditLogFixture {
  const signer = nodeSigner(new Uint8Array(32).fill(seed));
  const nodes = new Map<string, Uint8Array>();
  const tree = new GrowingTree(0, [], nodeSha256);
  const roots = [tree.root];
  const entries: AuditView[] = [];
  let head = genesisHead;
  for (const event of events) {
    const row = appendToChain(head, event);
    for (const { level, position, hash } of tree.add(entryHash(row)))
      nodes.set(`${level}/${position}`, hash);
    roots.push(tree.root);
    entries.push({ sequence: row.sequence, ...event, previousHash: head.hash, hash: row.hash });
    head = row;
  }
  const hashes = (folds: readonly NodeFold[]) =>
    folds.map((fold) => {
      const parts = fold.map(({ level, position }) => nodes.get(`${level}/${position}`)!);
      return toBase64(foldHashes(parts, nodeSha256));
    });
  const checkpoint = (size = events.length) => {
    const root = roots[size]!;
    const stored = { size, root, atMs: 1_000, note: signCheckpoint({ size, root }, signer) };
    return checkpointView(stored, [], signer.publicKey);
  };
  return {
    entries,
    checkpoint,
    inclusion: (sequence, size = events.length) => ({
      index: sequence - 1,
      size,
      entry: entryText({ sequence, event: events[sequence - 1]! }),
      proof: hashes(inclusionFolds(sequence - 1, size)),
      checkpoint: checkpoint(size),
    }),
    consistency: (from, to) => ({ from, to, proof: hashes(consistencyFolds(from, to)) }),
  };
}
