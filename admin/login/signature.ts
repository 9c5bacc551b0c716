import { createHash, createPublicKey, verify } from 'node:crypto';
import { ed25519Type, isWeak, keyOfBlob } from './public-key.ts';
import { SshReader, sshString, sshUint32 } from './ssh-wire.ts';

/** What a signature of a login is for; one that was made for anything else is refused. */
export const loginNamespace = 'vigo-login';

const magic = 'SSHSIG';
const version = 1;
const hashAlgorithms = new Set(['sha256', 'sha512']);
const signingHash = 'sha512';
const armorBegin = '-----BEGIN SSH SIGNATURE-----';
const armorEnd = '-----END SSH SIGNATURE-----';
/** Of the text; that of an Ed25519 key has some 300 characters. */
const armorLengthMax = 4000;
const armorLineLength = 70;
const signatureBytes = 64;
/** DER of a SubjectPublicKeyInfo of Ed25519, before the 32 bytes of the key. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Why a signature is not good; the words go to a person, and tell nothing about accounts. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

/**
 * The key that made this SSHSIG (OpenSSH's PROTOCOL.sshsig) over the message for a login. Throws
 * SignatureError for anything else: another namespace, key type or hash, bytes that are left over.
 */
export function verifySshSignature(armored: string, message: string): Uint8Array {
  const { publicKey, namespace, hash, signature } = parseSshSignature(armored);
  if (namespace !== loginNamespace) {
    throw new SignatureError(`it was made for "${namespace.slice(0, 40)}", not ${loginNamespace}`);
  }
  const signed = signedBytes(namespace, hash, message);
  if (!verifyEd25519(publicKey, signed, signature)) {
    throw new SignatureError('it does not fit the message');
  }
  return publicKey;
}

/** Of the bytes as they are, without any frame. Points of small order verify nothing. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== signatureBytes) return false;
  if (isWeak(publicKey)) return false;
  try {
    const der = Buffer.concat([spkiPrefix, publicKey]);
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}

/** What the key itself signs: never the message alone. */
export function signedBytes(namespace: string, hash: string, message: string): Buffer {
  const digest = createHash(hash).update(message, 'utf8').digest();
  const frame = [namespace, '', hash].map((text) => sshString(text));
  return Buffer.concat([Buffer.from(magic), ...frame, sshString(digest)]);
}

/** What an SSH agent is to sign for `assembleSshSignature`. */
export function bytesToSign(message: string): Buffer {
  return signedBytes(loginNamespace, signingHash, message);
}

/** `blob` is the public key and `signature` the signature as an agent gives it, both in SSH's form. */
export function assembleSshSignature(blob: Uint8Array, signature: Uint8Array): string {
  const frame = [loginNamespace, '', signingHash].map((text) => sshString(text));
  const bytes = Buffer.concat([
    Buffer.from(magic),
    sshUint32(version),
    sshString(blob),
    ...frame,
    sshString(signature),
  ]);
  const lines = bytes.toString('base64').match(new RegExp(`.{1,${armorLineLength}}`, 'g')) ?? [];
  return [armorBegin, ...lines, armorEnd, ''].join('\n');
}

interface ParsedSignature {
  readonly publicKey: Uint8Array;
  readonly namespace: string;
  readonly hash: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Throws SignatureError. */
export function parseSshSignature(armored: string): ParsedSignature {
  const reader = new SshReader(unarmored(armored));
  try {
    if (reader.bytes(magic.length).toString('latin1') !== magic) throw malformed();
    if (reader.uint32() !== version) throw new SignatureError('its version is not known');
    const publicKey = keyOfBlob(reader.string());
    const namespace = reader.text();
    // Reserved: PROTOCOL.sshsig says to ignore it, but then it could differ from what was signed.
    if (reader.string().length > 0) throw malformed();
    const hash = reader.text();
    if (!hashAlgorithms.has(hash))
      throw new SignatureError('its hash is neither sha256 nor sha512');
    const signature = rawSignature(reader.string());
    if (!reader.atEnd) throw malformed();
    return { publicKey, namespace, hash, signature };
  } catch (error) {
    if (error instanceof SignatureError) throw error;
    throw new SignatureError(error instanceof Error ? error.message : String(error));
  }
}

function rawSignature(blob: Buffer): Uint8Array {
  const reader = new SshReader(blob);
  if (reader.text() !== ed25519Type) throw new SignatureError(`it is not of ${ed25519Type}`);
  const signature = reader.string();
  if (signature.length !== signatureBytes || !reader.atEnd) throw malformed();
  return new Uint8Array(signature);
}

function unarmored(armored: string): Buffer {
  if (armored.length > armorLengthMax) throw new SignatureError('it is too long');
  const lines = armored.trim().split(/\r?\n/);
  if (lines[0] !== armorBegin || lines.at(-1) !== armorEnd) throw malformed();
  const text = lines.slice(1, -1).join('');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw malformed();
  return bytes;
}

function malformed(): SignatureError {
  return new SignatureError('it is no signature as "ssh-keygen -Y sign" makes it');
}
