import type { Sha256 } from '../protocol/crypto.ts';
import type { RestoreAcknowledgement } from '../protocol/gen/vigo/v1/audit.ts';
import { clockSkewLimitMs } from '../protocol/limits.ts';
import { leafHash } from '../protocol/merkle.ts';
import { splitHashes, type TreeHead, verifyInclusion } from '../protocol/transparency/proof.ts';

/** An administrator's word, as it stands in the log, that the log was restored from a backup. */
export interface RestoreStatement {
  readonly id: string;
  readonly atMs: number;
  /** "admin:<name>". */
  readonly by: string;
  readonly reason: string;
  /** It holds for nodes that have seen up to so many entries. */
  readonly through: number;
}

/** The type of the entry; actors/audit/messages.ts has the same. */
const restoreAcknowledgedType = 'audit.restore_acknowledged';

/**
 * The statement that lets a node that holds `held` take `offered` instead; undefined when there is
 * none that may. It must stand in the offered log itself, so that nobody can take it back unseen;
 * cover what this node has seen; and be younger than that, so that the word about one restore does
 * not excuse the next rewriting.
 */
export function acceptableRestore(
  acknowledgement: RestoreAcknowledgement | undefined,
  held: { readonly size: number; readonly atMs: number; readonly acceptedId: string | undefined },
  offered: TreeHead,
  crypto: Sha256,
): RestoreStatement | undefined {
  if (acknowledgement === undefined) return undefined;
  const parsed = parseStatement(acknowledgement.entry);
  const proof = splitHashes(acknowledgement.inclusionProof);
  if (parsed === undefined || proof === undefined) return undefined;
  const { sequence, statement } = parsed;
  if (statement.through < held.size || statement.id === held.acceptedId) return undefined;
  if (statement.atMs < held.atMs - clockSkewLimitMs) return undefined;
  const leaf = leafHash(new TextEncoder().encode(acknowledgement.entry), crypto);
  const claim = { index: sequence - 1, leaf };
  return verifyInclusion(claim, offered, proof, crypto) ? statement : undefined;
}

function parseStatement(
  entry: string,
): { sequence: number; statement: RestoreStatement } | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(entry);
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields)) return undefined;
  const [sequence, id, atMs, type, by, , details] = fields as unknown[];
  if (type !== restoreAcknowledgedType || !Array.isArray(details)) return undefined;
  const named = new Map(details.filter(Array.isArray) as [unknown, unknown][]);
  const through = named.get('through');
  const reason = named.get('reason');
  const isWhole =
    Number.isSafeInteger(sequence) && Number.isSafeInteger(atMs) && Number.isSafeInteger(through);
  if (!isWhole || typeof id !== 'string' || typeof by !== 'string') return undefined;
  const statement = {
    id,
    atMs: atMs as number,
    by,
    reason: typeof reason === 'string' ? reason : '',
    through: through as number,
  };
  return { sequence: sequence as number, statement };
}
