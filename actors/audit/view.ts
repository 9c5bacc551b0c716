import { toBase64 } from '../../agent/protocol/transparency/base64.ts';
import {
  auditLogKey,
  cosignatureLine,
  witnessKey,
} from '../../agent/protocol/transparency/checkpoint.ts';
import { formatNote, formatNoteKey, parseNote } from '../../agent/protocol/transparency/note.ts';
import { nodeSha256 } from './leaf.ts';
import type { StoredCheckpoint } from './messages.ts';

/** A checkpoint with everything that it takes to verify it. */
export interface CheckpointView {
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly atMs: number;
  /** The signed note, with a line for each witness (c2sp.org/tlog-checkpoint). */
  readonly note: string;
  /** The log's key: "<name>+<key id>+<base64>". Compare it with what you trust. */
  readonly key: string;
  readonly witnesses: readonly WitnessView[];
}

export interface WitnessView {
  readonly envoyId: string;
  readonly hostname: string;
  /** When the envoy saw the checkpoint, by its own clock. */
  readonly atMs: number;
  /** The envoy's key for cosignatures. */
  readonly key: string;
}

/** An RFC 6962 proof; hashes are base64, from the leaf up. */
export interface InclusionView {
  /** Of the leaf, from 0. */
  readonly index: number;
  readonly size: number;
  /** The canonical entry: what the leaf's hash is made of. */
  readonly entry: string;
  readonly proof: readonly string[];
  readonly checkpoint: CheckpointView;
}

export interface ConsistencyView {
  readonly from: number;
  readonly to: number;
  readonly proof: readonly string[];
}

/** A witness as the database knows it. */
export interface WitnessRow {
  readonly envoyId: string;
  readonly hostname: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly payload: Uint8Array;
}

export function checkpointView(
  { size, root, note, atMs }: StoredCheckpoint,
  rows: readonly WitnessRow[],
  /** Of the key that signs bundles and checkpoints, 32 bytes. */
  publicKey: Uint8Array,
): CheckpointView {
  const key = auditLogKey(publicKey, nodeSha256);
  const parsed = parseNote(note);
  const signers = rows.map((row) => witnessKey(row.envoyId, row.publicKey));
  const lines = rows.map(({ payload }, index) =>
    cosignatureLine(signers[index] ?? key, payload, nodeSha256),
  );
  const whole =
    parsed === undefined
      ? note
      : formatNote({ text: parsed.text, signatures: [...parsed.signatures, ...lines] });
  return {
    origin: key.name,
    size,
    root: toBase64(root),
    atMs,
    note: whole,
    key: formatNoteKey(key, 'ed25519', nodeSha256),
    witnesses: rows.map(({ envoyId, hostname, payload }, index) => ({
      envoyId,
      hostname,
      atMs: Number(Buffer.from(payload).readBigUInt64BE(0)) * 1000,
      key: formatNoteKey(signers[index] ?? key, 'cosignatureV1', nodeSha256),
    })),
  };
}
