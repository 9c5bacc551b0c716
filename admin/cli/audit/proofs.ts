import { leafHash } from '../../../agent/protocol/merkle.ts';
import { fromBase64 } from '../../../agent/protocol/transparency/base64.ts';
import { verifyConsistency, verifyInclusion } from '../../../agent/protocol/transparency/proof.ts';
import type { CheckpointView, ConsistencyView, InclusionView } from '../../api/backend.ts';
import type { Session } from '../session.ts';
import { AuditMemory } from './memory.ts';
import { noteVerifier } from './note-verifier.ts';
import { broken, countWitnesses, openRemembered, openView } from './verify-log.ts';

/** Verifies an inclusion proof and returns what its entry says. Throws CLI_AUDIT_BROKEN. */
export function openProof(proof: InclusionView): {
  fields: Record<string, unknown>;
  witnesses: number;
} {
  const checkpoint = openView(proof.checkpoint, undefined);
  const leaf = leafHash(new TextEncoder().encode(proof.entry), noteVerifier);
  const claim = { index: proof.index, leaf };
  const isProven =
    proof.size === checkpoint.size &&
    verifyInclusion(claim, checkpoint, hashesOf(proof.proof), noteVerifier);
  const sequence = proof.index + 1;
  if (!isProven)
    throw broken(`entry ${sequence} is not under the checkpoint`, 'AUDIT_REWRITTEN', sequence);
  const [number, id, atMs, type, actor, subject, details] = JSON.parse(proof.entry) as unknown[];
  const fields = { sequence: number, id, atMs, type, actor, subject, details };
  return { fields, witnesses: countWitnesses(proof.checkpoint, checkpoint) };
}

/** The server's checkpoint, proven to continue the remembered one, and remembered in its place. */
export async function followCheckpoint(
  { client, connection }: Session,
  option: string | undefined,
): Promise<{ view: CheckpointView; witnesses: number; continues: number | undefined }> {
  const memory = AuditMemory.open(option, process.env);
  const remembered = memory.recall(connection.caPem);
  const known = remembered && openRemembered(remembered);
  const view = await client.get<CheckpointView>('/api/v1/audit/checkpoint');
  const checkpoint = openView(view, remembered?.key);
  if (known !== undefined) {
    const { size: from } = known;
    const { size: to } = checkpoint;
    if (to < from) {
      const reason = `the log has ${to} entries; when it was last seen it had ${from}`;
      throw broken(reason, 'AUDIT_TRUNCATED', to + 1);
    }
    const path = '/api/v1/audit/consistency';
    const { proof } = await client.get<ConsistencyView>(path, { from, to });
    if (!verifyConsistency(known, checkpoint, hashesOf(proof), noteVerifier)) {
      const reason = `one of the first ${from} entries is not what it was; "audit verify" names it`;
      throw broken(reason, 'AUDIT_REWRITTEN');
    }
  }
  const leaves = remembered?.leaves ?? '';
  memory.remember(connection.caPem, { key: view.key, note: view.note, leaves });
  return { view, witnesses: countWitnesses(view, checkpoint), continues: known?.size };
}

function hashesOf(texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => fromBase64(text) ?? new Uint8Array(0));
}
