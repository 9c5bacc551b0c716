import type Database from 'better-sqlite3';
import { toBase64 } from '../../agent/protocol/transparency/base64.ts';
import { entryText, nodeSha256 } from '../audit/leaf.ts';
import { witnessLimit } from '../audit/messages.ts';
import { consistencyFolds, foldHashes, inclusionFolds, type NodeFold } from '../audit/tree.ts';
import {
  type CheckpointView,
  type ConsistencyView,
  checkpointView,
  type InclusionView,
  type WitnessRow,
} from '../audit/view.ts';
import { ServerError } from '../errors.ts';
import { auditRow, type StoredAuditRow } from './audit-row.ts';
import type { AuditCheckpointsTable } from './audit-tree-tables.ts';
import { Statements } from './statements.ts';

/** What people ask about the audit log's tree; see SinkQueries. Throws AUDIT_* codes. */
export class AuditQueries {
  readonly #statements: Statements;

  constructor(database: Database.Database) {
    this.#statements = new Statements(database);
  }

  /** The newest checkpoint, or the one of exactly this size. Throws AUDIT_NO_CHECKPOINT. */
  checkpoint(publicKey: Uint8Array, size?: number): CheckpointView {
    const [row] =
      size === undefined
        ? this.#all<AuditCheckpointsTable>(
            'SELECT * FROM audit_checkpoints ORDER BY at_ms DESC, size DESC LIMIT 1',
          )
        : this.#all<AuditCheckpointsTable>('SELECT * FROM audit_checkpoints WHERE size = ?', size);
    if (row === undefined) throw new ServerError('AUDIT_NO_CHECKPOINT', { size: size ?? 0 });
    const { note, at_ms: atMs } = row;
    const checkpoint = { size: row.size, root: Uint8Array.from(row.root), note, atMs };
    return checkpointView(checkpoint, this.#witnesses(row.size), publicKey);
  }

  /** The entry under the newest checkpoint, or under the one of this size. */
  inclusion(publicKey: Uint8Array, sequence: number, size?: number): InclusionView {
    const checkpoint = this.checkpoint(publicKey, size);
    const [row] = this.#all<StoredAuditRow>('SELECT * FROM audit_log WHERE sequence = ?', sequence);
    if (row === undefined || sequence > checkpoint.size)
      throw new ServerError('AUDIT_NO_SUCH_ENTRY', { sequence, size: checkpoint.size });
    const index = sequence - 1;
    const proof = this.#hashes(inclusionFolds(index, checkpoint.size), checkpoint.size);
    return { index, size: checkpoint.size, entry: entryText(auditRow(row)), proof, checkpoint };
  }

  /** Sizes need not be those of checkpoints. */
  consistency(from: number, to: number): ConsistencyView {
    const [last] = this.#all<{ size: number | null }>(
      'SELECT max(sequence) AS size FROM audit_log',
    );
    const size = last?.size ?? 0;
    if (from > to || to > size) {
      const reason = `there is no proof from ${from} to ${to} in a log of ${size} entries`;
      throw new ServerError('AUDIT_BAD_REQUEST', { reason });
    }
    return { from, to, proof: this.#hashes(consistencyFolds(from, to), to) };
  }

  #hashes(folds: readonly NodeFold[], size: number): string[] {
    return folds.map((fold) => {
      const parts = fold.map(({ level, position }) => {
        const text = 'SELECT hash FROM audit_nodes WHERE level = ? AND position = ?';
        const [node] = this.#all<{ hash: Uint8Array }>(text, level, position);
        if (node === undefined) throw new ServerError('AUDIT_TREE_DAMAGED', { size });
        return Uint8Array.from(node.hash);
      });
      return toBase64(foldHashes(parts, nodeSha256));
    });
  }

  #witnesses(size: number): WitnessRow[] {
    const text =
      'SELECT c.envoy_id, c.payload, e.hostname, e.public_key FROM audit_cosignatures c ' +
      'JOIN envoys e ON e.envoy_id = c.envoy_id WHERE c.size = ? ORDER BY e.hostname LIMIT ?';
    return this.#all<{
      envoy_id: string;
      payload: Uint8Array;
      hostname: string;
      public_key: Uint8Array;
    }>(text, size, witnessLimit).map((row) => ({
      envoyId: row.envoy_id,
      hostname: row.hostname,
      publicKey: Uint8Array.from(row.public_key),
      payload: Uint8Array.from(row.payload),
    }));
  }

  #all<Row>(text: string, ...parameters: readonly unknown[]): Row[] {
    return this.#statements.all(text, parameters);
  }
}
