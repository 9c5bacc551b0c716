import { createHash } from 'node:crypto';
import { SshReader, sshString } from './ssh-wire.ts';

export const ed25519Type = 'ssh-ed25519';
/** A raw Ed25519 key. */
const keyBytes = 32;
const commentLengthMax = 100;
const textLengthMax = 2000;

/** An Ed25519 key that somebody may log in with. */
export interface LoginKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly comment: string;
}

/** Why a text is no key that can be used; the words go to a person. */
export class KeyTextError extends Error {
  override readonly name = 'KeyTextError';
}

/**
 * Reads one line of an authorized_keys or .pub file ("ssh-ed25519 AAAA... comment"), or a raw Ed25519 key
 * in base64 or hex. Throws KeyTextError.
 */
export function parseLoginKey(text: string): LoginKey {
  if (text.length > textLengthMax) throw new KeyTextError('it is too long');
  const line = text.trim();
  if (line.includes('PRIVATE KEY')) {
    throw new KeyTextError(
      'this is a private key, which must not leave your machine; give the .pub',
    );
  }
  if (/[\r\n]/.test(line)) throw new KeyTextError('it has more than one line');
  const [first = '', second, ...rest] = line.split(/[ \t]+/);
  const comment = (second === undefined ? '' : rest.join(' ')).slice(0, commentLengthMax);
  if (first === ed25519Type && second !== undefined) {
    return { publicKey: checked(keyOfBlob(decodeBase64(second))), comment };
  }
  if (/^(ssh-|ecdsa-|sk-)/.test(first)) {
    throw new KeyTextError(`${first.slice(0, 40)} is not taken, only ${ed25519Type}`);
  }
  if (second !== undefined) throw new KeyTextError(`it does not begin with ${ed25519Type}`);
  const raw = /^[0-9a-fA-F]{64}$/.test(first) ? Buffer.from(first, 'hex') : decodeBase64(first);
  return { publicKey: checked(raw), comment: '' };
}

/** The key in a blob of SSH: string "ssh-ed25519", string key. Throws KeyTextError. */
export function keyOfBlob(blob: Uint8Array): Uint8Array {
  const reader = new SshReader(blob);
  try {
    const type = reader.text();
    if (type !== ed25519Type) throw new KeyTextError(`only ${ed25519Type} keys are taken`);
    const key = reader.string();
    if (key.length === keyBytes && reader.atEnd) return new Uint8Array(key);
  } catch (error) {
    if (error instanceof KeyTextError) throw error;
  }
  throw new KeyTextError('it is no key of SSH');
}

export function blobOfKey(publicKey: Uint8Array): Buffer {
  return Buffer.concat([sshString(ed25519Type), sshString(publicKey)]);
}

/** As ssh-keygen -l shows it. */
export function fingerprintOf(publicKey: Uint8Array): string {
  const hash = createHash('sha256').update(blobOfKey(publicKey)).digest('base64');
  return `SHA256:${hash.replace(/=+$/, '')}`;
}

function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')) return bytes;
  throw new KeyTextError('it is not base64');
}

function checked(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== keyBytes) throw new KeyTextError(`a key has ${keyBytes} bytes`);
  if (isWeak(publicKey)) throw new KeyTextError('this key verifies signatures that nobody made');
  return publicKey;
}

/** Points of small order (RFC 7748, section 6.1, as y coordinates): anybody can sign for them. */
const smallOrder = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

export function isWeak(publicKey: Uint8Array): boolean {
  const bytes = Buffer.from(publicKey);
  // The sign of x stands in the highest bit and changes nothing here.
  bytes[keyBytes - 1] = (bytes[keyBytes - 1] ?? 0) & 0x7f;
  return smallOrder.has(bytes.toString('hex'));
}
