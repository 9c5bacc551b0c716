import { equalBytes, toHex } from '../bytes.ts';
import {
  publicKeyLength,
  type Sha256,
  type Signer,
  sha256,
  signatureLength,
  type Verifier,
} from '../crypto.ts';
import { fromBase64, toBase64 } from './base64.ts';

/**
 * Signed notes as C2SP specifies them (c2sp.org/signed-note): a text of whole lines, an empty line,
 * and signature lines "— <name> <base64 of key id and signature>".
 */
export interface Note {
  /** With its last line feed; what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** First 4 bytes of SHA-256(name, line feed, algorithm, public key). */
  readonly keyId: Uint8Array;
  /** Behind the key id. */
  readonly signature: Uint8Array;
}

/** Who may sign, and with what. */
export interface NoteKey {
  readonly name: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** Of c2sp.org/signed-note. */
export const noteAlgorithms = { ed25519: 0x01, cosignatureV1: 0x04 } as const;

/** UTF-16 units of the longest note that is read. */
export const noteTextLimit = 65_536;
/** Signature lines that are looked at. */
export const noteSignatureLimit = 512;

const keyIdLength = 4;
const dash = '\u2014';
const encoder = new TextEncoder();

/** Undefined when it is not a signed note. Signatures are not verified here. */
export function parseNote(note: string): Note | undefined {
  if (note.length > noteTextLimit || !note.endsWith('\n')) return undefined;
  const split = note.lastIndexOf('\n\n');
  if (split < 0) return undefined;
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > noteSignatureLimit) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [mark, name, payload, ...more] = line.split(' ');
    const bytes = payload === undefined ? undefined : fromBase64(payload);
    if (mark !== dash || name === undefined || !isKeyName(name)) return undefined;
    if (bytes === undefined || bytes.length <= keyIdLength || more.length > 0) return undefined;
    const keyId = bytes.slice(0, keyIdLength);
    signatures.push({ name, keyId, signature: bytes.slice(keyIdLength) });
  }
  return hasControls(text) ? undefined : { text, signatures };
}

export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, keyId, signature }) => {
    const payload = new Uint8Array(keyIdLength + signature.length);
    payload.set(keyId);
    payload.set(signature, keyIdLength);
    return `${dash} ${name} ${toBase64(payload)}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Signs with algorithm 0x01: Ed25519 over the text. */
export function signNote(text: string, name: string, signer: Signer): NoteSignature {
  const keyId = noteKeyId({ name, publicKey: signer.publicKey }, 'ed25519', signer);
  return { name, keyId, signature: signer.sign(encoder.encode(text)) };
}

/** True when the key has signed the note, with algorithm 0x01. */
export function isSignedBy(note: Note, key: NoteKey, verifier: Verifier): boolean {
  const keyId = noteKeyId(key, 'ed25519', verifier);
  const message = encoder.encode(note.text);
  return note.signatures.some(
    (each) =>
      each.name === key.name &&
      equalBytes(each.keyId, keyId) &&
      each.signature.length === signatureLength &&
      verifier.verify(each.signature, message, key.publicKey),
  );
}

export function noteKeyId(
  { name, publicKey }: NoteKey,
  algorithm: keyof typeof noteAlgorithms,
  crypto: Sha256,
): Uint8Array {
  const label = encoder.encode(`${name}\n`);
  const input = new Uint8Array(label.length + 1 + publicKey.length);
  input.set(label);
  input[label.length] = noteAlgorithms[algorithm];
  input.set(publicKey, label.length + 1);
  return sha256(crypto, input).slice(0, keyIdLength);
}

/** The key as other programs take it: "<name>+<key id>+<base64 of algorithm and key>". */
export function formatNoteKey(
  key: NoteKey,
  algorithm: keyof typeof noteAlgorithms,
  crypto: Sha256,
): string {
  const typed = new Uint8Array(1 + key.publicKey.length);
  typed[0] = noteAlgorithms[algorithm];
  typed.set(key.publicKey, 1);
  return `${key.name}+${toHex(noteKeyId(key, algorithm, crypto))}+${toBase64(typed)}`;
}

/** Undefined when the text is not such a key of this algorithm. */
export function parseNoteKey(
  text: string,
  algorithm: keyof typeof noteAlgorithms,
  crypto: Sha256,
): NoteKey | undefined {
  // Only base64 may hold further plus signs, so a name ends at the first one.
  const [name = '', keyId = '', ...rest] = text.trim().split('+');
  const typed = fromBase64(rest.join('+'));
  if (!isKeyName(name) || typed?.length !== 1 + publicKeyLength) return undefined;
  if (typed[0] !== noteAlgorithms[algorithm]) return undefined;
  const key = { name, publicKey: typed.slice(1) };
  return toHex(noteKeyId(key, algorithm, crypto)) === keyId ? key : undefined;
}

function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name);
}

/** Control characters other than the line feed. */
function hasControls(text: string): boolean {
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    if ((code < 0x20 && letter !== '\n') || code === 0x7f) return true;
  }
  return false;
}
