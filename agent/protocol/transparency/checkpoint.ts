import { equalBytes, toHex } from '../bytes.ts';
import { hashLength, type Sha256, type Signer, sha256, type Verifier } from '../crypto.ts';
import { fromBase64, toBase64 } from './base64.ts';
import {
  formatNote,
  isSignedBy,
  type Note,
  type NoteKey,
  type NoteSignature,
  noteKeyId,
  parseNote,
  signNote,
} from './note.ts';
import type { TreeHead } from './proof.ts';

/** A tree head with the name of its log (c2sp.org/tlog-checkpoint). */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
}

/** A checkpoint with the note that says it. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Note;
}

const originPrefix = 'vigo.audit/';
const witnessPrefix = 'vigo.envoy/';
const originHexDigits = 32;
const timestampLength = 8;
const encoder = new TextEncoder();

/**
 * The audit log's name: made of the key that signs it, the one that envoys pin for policy. So
 * whoever knows the key knows the name, and no second log can take it.
 */
export function auditLogKey(publicKey: Uint8Array, crypto: Sha256): NoteKey {
  const digest = toHex(sha256(crypto, publicKey));
  return { name: `${originPrefix}${digest.slice(0, originHexDigits)}`, publicKey };
}

/** An envoy as a witness. `envoyId`: the UUID as text. */
export function witnessKey(envoyId: string, publicKey: Uint8Array): NoteKey {
  return { name: `${witnessPrefix}${envoyId}`, publicKey };
}

/**
 * A note that is signed starts with a printable origin, canonical bytes (canonical.ts) with a length
 * below 2^24: no signature of one kind verifies as the other.
 */
export function signCheckpoint({ size, root }: TreeHead, signer: Signer): string {
  const { name } = auditLogKey(signer.publicKey, signer);
  const text = checkpointText({ origin: name, size, root });
  return formatNote({ text, signatures: [signNote(text, name, signer)] });
}

export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** Undefined unless the text is a checkpoint. Extension lines are allowed and not looked at. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', size = '', root = '', ...more] = text.split('\n');
  const bytes = fromBase64(root);
  if (origin === '' || !/^(0|[1-9]\d{0,15})$/.test(size) || bytes?.length !== hashLength)
    return undefined;
  // Whole lines only, none of them empty.
  if (more.at(-1) !== '' || more.slice(0, -1).includes('')) return undefined;
  const count = Number(size);
  return Number.isSafeInteger(count) ? { origin, size: count, root: bytes } : undefined;
}

/** Undefined unless the note is a checkpoint of this log, signed with its key. */
export function openCheckpoint(
  noteText: string,
  key: NoteKey,
  verifier: Verifier,
): SignedCheckpoint | undefined {
  const note = parseNote(noteText);
  const checkpoint = note === undefined ? undefined : parseCheckpoint(note.text);
  if (note === undefined || checkpoint === undefined || checkpoint.origin !== key.name)
    return undefined;
  return isSignedBy(note, key, verifier) ? { ...checkpoint, note } : undefined;
}

/** A cosignature/v1 (c2sp.org/tlog-cosignature): 8 bytes of seconds, 64 of Ed25519. */
export function cosign(text: string, seconds: number, signer: Signer): Uint8Array {
  const signature = signer.sign(cosignedBytes(text, seconds));
  const payload = new Uint8Array(timestampLength + signature.length);
  new DataView(payload.buffer).setBigUint64(0, BigInt(seconds));
  payload.set(signature, timestampLength);
  return payload;
}

/** When the witness saw this checkpoint, in seconds; undefined when it did not sign it. */
export function cosignedAt(
  text: string,
  payload: Uint8Array,
  publicKey: Uint8Array,
  verifier: Verifier,
): number | undefined {
  if (payload.length <= timestampLength) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, timestampLength);
  const seconds = Number(view.getBigUint64(0));
  if (seconds === 0 || !Number.isSafeInteger(seconds)) return undefined;
  const signature = payload.subarray(timestampLength);
  return verifier.verify(signature, cosignedBytes(text, seconds), publicKey) ? seconds : undefined;
}

/** The line that a witness adds to a note. */
export function cosignatureLine(
  witness: NoteKey,
  payload: Uint8Array,
  crypto: Sha256,
): NoteSignature {
  const keyId = noteKeyId(witness, 'cosignatureV1', crypto);
  return { name: witness.name, keyId, signature: payload };
}

/** True when the note carries a valid cosignature of this witness. */
export function isWitnessedBy(note: Note, witness: NoteKey, verifier: Verifier): boolean {
  const keyId = noteKeyId(witness, 'cosignatureV1', verifier);
  return note.signatures.some(
    ({ name, keyId: id, signature }) =>
      name === witness.name &&
      equalBytes(id, keyId) &&
      cosignedAt(note.text, signature, witness.publicKey, verifier) !== undefined,
  );
}

/** The first 32 bits of a root: enough to see that two sides hold the same checkpoint of one size. */
export function rootMark(root: Uint8Array): number {
  return new DataView(root.buffer, root.byteOffset, hashLength).getUint32(0);
}

function cosignedBytes(text: string, seconds: number): Uint8Array {
  return encoder.encode(`cosignature/v1\ntime ${seconds}\n${text}`);
}
