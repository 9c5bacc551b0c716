import {
  type AuditHead,
  type AuditRow,
  followChain,
  genesisHead,
} from '../../../actors/audit/chain.ts';
import { entryHash } from '../../../actors/audit/leaf.ts';
import { GrowingTree } from '../../../actors/audit/tree.ts';
import type { CheckpointView } from '../../../actors/audit/view.ts';
import { equalBytes } from '../../../agent/protocol/bytes.ts';
import { fromBase64 } from '../../../agent/protocol/transparency/base64.ts';
import {
  isWitnessedBy,
  openCheckpoint,
  type SignedCheckpoint,
} from '../../../agent/protocol/transparency/checkpoint.ts';
import { parseNoteKey } from '../../../agent/protocol/transparency/note.ts';
import { AdminError } from '../../errors.ts';
import { leafPrefixLength, type RememberedLog, rememberedLeafLimit } from './memory.ts';
import { noteVerifier } from './note-verifier.ts';

export interface VerifiedLog {
  readonly head: AuditHead;
  /** The checkpoint that the entries give; undefined when an export has none. */
  readonly checkpoint: SignedCheckpoint | undefined;
  /** Cosignatures that verify. */
  readonly witnesses: number;
  /** Entries of the remembered checkpoint that this log continues; undefined when none was known. */
  readonly continues: number | undefined;
  /** The first bytes of the leaves under the checkpoint; for the memory. */
  readonly leaves: Uint8Array;
}

export interface LogQuestion {
  readonly rows: AsyncIterable<AuditRow>;
  /** Known before the first row: an export begins with it. */
  checkpoint(): CheckpointView | undefined;
  readonly remembered: RememberedLog | undefined;
  /** A key that is trusted more than what the log says of itself. */
  readonly key: string | undefined;
  /** A head of the chain that the log must contain. */
  readonly expectedHead: string | undefined;
}

/** Verifies a whole log in one pass. Throws CLI_AUDIT_BROKEN, with the first bad entry where it is known. */
export async function verifyLog(question: LogQuestion): Promise<VerifiedLog> {
  const { remembered, expectedHead } = question;
  const known = remembered && openRemembered(remembered);
  const seen = await readRows(question, known?.size);
  if (known !== undefined && remembered !== undefined) compareWithKnown(seen, known, remembered);
  if (!seen.hasExpectedHead)
    throw broken(`it does not contain the head ${expectedHead}`, 'AUDIT_HEAD_MISMATCH');
  const view = question.checkpoint();
  const { head, leaves } = seen;
  const continues = known?.size;
  if (view === undefined) return { head, leaves, continues, checkpoint: undefined, witnesses: 0 };
  const checkpoint = openView(view, question.key ?? remembered?.key);
  compareWithCheckpoint(seen, checkpoint);
  return {
    head,
    checkpoint,
    witnesses: countWitnesses(view, checkpoint),
    continues,
    leaves: leaves.subarray(0, checkpoint.size * leafPrefixLength),
  };
}

/** The checkpoint, when its note is signed by the key. `trusted`: absent = the key that it names. */
export function openView(view: CheckpointView, trusted: string | undefined): SignedCheckpoint {
  const wanted = trusted ?? view.key;
  const key = parseNoteKey(wanted, 'ed25519', noteVerifier);
  if (key === undefined) throw new AdminError('CLI_USAGE', `${wanted} is not the key of a log`);
  const checkpoint = openCheckpoint(view.note, key, noteVerifier);
  if (checkpoint !== undefined) return checkpoint;
  throw broken(`its checkpoint is not signed by the key ${key.name}`, 'AUDIT_CHECKPOINT_SIGNATURE');
}

/** Cosignatures of the envoys that the server names; it also names their keys. */
export function countWitnesses(view: CheckpointView, { note }: SignedCheckpoint): number {
  return view.witnesses.filter(({ key: text }) => {
    const key = parseNoteKey(text, 'cosignatureV1', noteVerifier);
    return key !== undefined && isWitnessedBy(note, key, noteVerifier);
  }).length;
}

export function openRemembered({ key, note }: RememberedLog): SignedCheckpoint {
  const parsed = parseNoteKey(key, 'ed25519', noteVerifier);
  const checkpoint = parsed && openCheckpoint(note, parsed, noteVerifier);
  if (checkpoint !== undefined) return checkpoint;
  throw broken('the remembered checkpoint is damaged', 'AUDIT_MEMORY_DAMAGED');
}

const remedy =
  'Keep a copy of the database and find out who changed it. A restored backup looks like this too: ' +
  '"audit list --type audit.restore_acknowledged", and then "audit forget".';

export function broken(reason: string, code: string, sequence?: number): AdminError {
  const details = { code, ...(sequence === undefined ? {} : { sequence }) };
  return new AdminError('CLI_AUDIT_BROKEN', reason, details, remedy);
}

interface ReadLog {
  readonly head: AuditHead;
  readonly size: number;
  /** At the sizes that were asked for. */
  readonly roots: ReadonlyMap<number, Uint8Array>;
  readonly leaves: Uint8Array;
  readonly hasExpectedHead: boolean;
}

async function readRows(question: LogQuestion, knownSize: number | undefined): Promise<ReadLog> {
  const expectedHead = question.expectedHead?.toLowerCase();
  const tree = new GrowingTree(0, [], noteVerifier);
  const roots = new Map<number, Uint8Array>();
  const prefixes: Uint8Array[] = [];
  let head = genesisHead;
  let hasExpectedHead = expectedHead === undefined || expectedHead === genesisHead.hash;
  for await (const row of question.rows) {
    head = follow(head, row);
    if (head.hash === expectedHead) hasExpectedHead = true;
    const leaf = entryHash(row);
    tree.add(leaf);
    if (prefixes.length < rememberedLeafLimit) prefixes.push(leaf.slice(0, leafPrefixLength));
    // An export begins with its checkpoint.
    if (tree.size === knownSize || tree.size === question.checkpoint()?.size)
      roots.set(tree.size, tree.root);
  }
  return { head, size: tree.size, roots, leaves: Buffer.concat(prefixes), hasExpectedHead };
}

function follow(head: AuditHead, row: AuditRow): AuditHead {
  try {
    return followChain(head, row);
  } catch (error) {
    const { code = 'AUDIT_CHAIN_BROKEN', message } = error as { code?: string; message: string };
    throw broken(
      message,
      code,
      row.sequence === head.sequence + 1 ? row.sequence : head.sequence + 1,
    );
  }
}

/** Whatever the log proves of itself: it must say what it said when it was last verified. */
function compareWithKnown(
  { size, roots, leaves }: ReadLog,
  known: SignedCheckpoint,
  { leaves: rememberedLeaves }: RememberedLog,
): void {
  const root = roots.get(known.size);
  if (root !== undefined && equalBytes(root, known.root)) return;
  const before = fromBase64(rememberedLeaves) ?? new Uint8Array(0);
  const same = samePrefixes(before, leaves);
  if (same < Math.min(size, before.length / leafPrefixLength)) {
    const reason = `entry ${same + 1} is not what it was when this log was last verified`;
    throw broken(reason, 'AUDIT_REWRITTEN', same + 1);
  }
  if (size < known.size) {
    const reason = `it ends after entry ${size}; when last verified it had ${known.size}`;
    throw broken(`${reason}, so entry ${size + 1} is gone`, 'AUDIT_TRUNCATED', size + 1);
  }
  throw broken(
    `the first ${known.size} entries are not those of the last verification`,
    'AUDIT_REWRITTEN',
  );
}

function compareWithCheckpoint({ size, roots }: ReadLog, checkpoint: SignedCheckpoint): void {
  if (size < checkpoint.size) {
    const reason = `it ends after entry ${size}, its checkpoint is about ${checkpoint.size}`;
    throw broken(reason, 'AUDIT_TRUNCATED', size + 1);
  }
  const root = roots.get(checkpoint.size);
  if (root !== undefined && equalBytes(root, checkpoint.root)) return;
  const reason = `the first ${checkpoint.size} entries do not give the root of the signed checkpoint`;
  throw broken(reason, 'AUDIT_REWRITTEN');
}

/** How many leaves are the same from the start. */
function samePrefixes(left: Uint8Array, right: Uint8Array): number {
  const end = Math.min(left.length, right.length);
  let at = 0;
  while (at < end && left[at] === right[at]) at += 1;
  return Math.floor(at / leafPrefixLength);
}
