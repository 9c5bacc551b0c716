import { AgentError, type AgentErrorCode } from '../errors.ts';
import type { IncidentLog } from '../incident-log.ts';
import type { Logger } from '../log.ts';
import type { StateFiles } from '../offline/state-files.ts';
import { equalBytes, toHex } from '../protocol/bytes.ts';
import type { Signer, Verifier } from '../protocol/crypto.ts';
import type { AuditNews } from '../protocol/gen/vigo/v1/audit.ts';
import {
  auditLogKey,
  cosign,
  openCheckpoint,
  rootMark,
  type SignedCheckpoint,
} from '../protocol/transparency/checkpoint.ts';
import type { NoteKey } from '../protocol/transparency/note.ts';
import { splitHashes, verifyConsistency } from '../protocol/transparency/proof.ts';
import { acceptableRestore, type RestoreStatement } from './restore.ts';
import {
  type Contradiction,
  keepEvidence,
  loadWitnessState,
  saveWitnessState,
  type WitnessState,
} from './witness-state.ts';

/** Told with every check-in by a node that has seen no checkpoint yet. */
const noneYet = { auditSize: 0, auditMark: 1, auditCosignature: new Uint8Array(0) };
const noBytes = new Uint8Array(0);
/** Hexadecimal digits of a root in a message to people. */
const shownDigits = 16;

export interface WitnessParts {
  readonly files: StateFiles;
  /** The server's, pinned at registration, 32 bytes. */
  readonly bundlePublicKey: Uint8Array;
  /** Of this node's identity. */
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly incidents: IncidentLog;
  readonly log: Logger;
  readonly nowMs: () => number;
}

interface Held {
  readonly state: WitnessState;
  readonly checkpoint: SignedCheckpoint;
}

/**
 * Watches the server's audit log: remembers its newest checkpoint, takes another one only with the
 * proof that nothing before it was changed, and signs what it took. A log that contradicts itself is
 * refused, kept as evidence and reported; the node goes on enforcing its policy, which is signed on its own.
 */
export class Witness {
  readonly #parts: WitnessParts;
  readonly #key: NoteKey;
  #held: Held | undefined;
  #cosignature = noBytes;

  private constructor(parts: WitnessParts) {
    this.#parts = parts;
    this.#key = auditLogKey(parts.bundlePublicKey, parts.verifier);
  }

  static async open(parts: WitnessParts): Promise<Witness> {
    const witness = new Witness(parts);
    const state = await loadWitnessState(parts.files).catch(() => undefined);
    if (state === undefined) return witness;
    const checkpoint = openCheckpoint(state.note, witness.#key, parts.verifier);
    // A server with another key has another log.
    if (checkpoint === undefined) return witness;
    witness.#held = { state, checkpoint };
    // A single `vigo run` ends before its cosignature can go with a later check-in.
    witness.#cosign(checkpoint);
    return witness;
  }

  /** For the body of a check-in. */
  told(): { auditSize: number; auditMark: number; auditCosignature: Uint8Array } {
    if (this.#held === undefined) return noneYet;
    const { size, root } = this.#held.checkpoint;
    return { auditSize: size, auditMark: rootMark(root), auditCosignature: this.#cosignature };
  }

  /** After the server answered a check-in. Rejects with nothing: whatever is wrong is an incident. */
  async answered(news: AuditNews | undefined): Promise<void> {
    this.#cosignature = noBytes;
    if (news === undefined) return;
    try {
      await this.#judge(news);
    } catch (error) {
      this.#parts.incidents.add(error);
    }
  }

  async #judge(news: AuditNews): Promise<void> {
    const { verifier } = this.#parts;
    const offered = openCheckpoint(news.checkpoint, this.#key, verifier);
    if (offered === undefined) throw new AgentError('AGENT_AUDIT_CHECKPOINT');
    const held = this.#held;
    if (held === undefined) return await this.#adopt(offered, news.checkpoint, undefined);
    const proof = splitHashes(news.consistencyProof);
    const continues =
      proof !== undefined && verifyConsistency(held.checkpoint, offered, proof, verifier);
    if (continues) return await this.#adopt(offered, news.checkpoint, held.state.restored);
    const { state, checkpoint } = held;
    const seen = { size: checkpoint.size, atMs: state.atMs, acceptedId: state.restored?.id };
    const restored = acceptableRestore(news.restored, seen, offered, verifier);
    if (restored === undefined) return await this.#refuse(held, offered, news);
    this.#sayRestored(restored, checkpoint.size, offered.size);
    const acceptedAtMs = this.#parts.nowMs();
    await this.#adopt(offered, news.checkpoint, { ...restored, acceptedAtMs });
  }

  /** Durable before it is signed: a witness that forgot what it signed would be none. */
  async #adopt(
    checkpoint: SignedCheckpoint,
    note: string,
    restored: WitnessState['restored'],
  ): Promise<void> {
    const { files, nowMs, log } = this.#parts;
    const before = this.#held;
    if (before?.state.conflict !== undefined)
      log.log('info', 'the audit log of the server is in order again', { size: checkpoint.size });
    const isSame = before !== undefined && equalBytes(before.checkpoint.root, checkpoint.root);
    if (isSame && before.state.conflict === undefined) return;
    const state = { note, atMs: nowMs(), ...(restored && { restored }) };
    this.#held = { state, checkpoint };
    await saveWitnessState(files, state);
    this.#cosign(checkpoint);
    log.log('debug', 'the audit log grew', { size: checkpoint.size });
  }

  #cosign({ note }: SignedCheckpoint): void {
    const { signer, nowMs } = this.#parts;
    const seconds = Math.max(1, Math.floor(nowMs() / 1000));
    this.#cosignature = Uint8Array.from(cosign(note.text, seconds, signer));
  }

  async #refuse(held: Held, offered: SignedCheckpoint, news: AuditNews): Promise<void> {
    const { files, incidents, nowMs } = this.#parts;
    const code = contradictionCode(held.checkpoint.size, offered.size);
    incidents.add(
      new AgentError(code, `held ${shown(held.checkpoint)}, offered ${shown(offered)}`),
    );
    const known = held.state.conflict;
    if (known?.offered === news.checkpoint) return;
    const conflict: Contradiction = {
      code,
      sinceMs: known?.sinceMs ?? nowMs(),
      held: held.state.note,
      offered: news.checkpoint,
      consistencyProof: toHex(news.consistencyProof),
    };
    const state = { ...held.state, conflict };
    this.#held = { ...held, state };
    await keepEvidence(files, conflict);
    await saveWitnessState(files, state);
  }

  #sayRestored({ by, reason, through }: RestoreStatement, held: number, size: number): void {
    this.#parts.log.log('warn', 'the audit log of the server was restored', {
      by,
      reason,
      through,
      held,
      size,
    });
  }
}

function contradictionCode(held: number, offered: number): AgentErrorCode {
  if (offered < held) return 'AGENT_AUDIT_TRUNCATED';
  return offered === held ? 'AGENT_AUDIT_FORKED' : 'AGENT_AUDIT_REWRITTEN';
}

function shown({ size, root }: SignedCheckpoint): string {
  return `${size} entries with root ${toHex(root).slice(0, shownDigits)}`;
}
