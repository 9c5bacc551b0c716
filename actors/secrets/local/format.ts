import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { ServerError } from '../../errors.ts';

/**
 * A file of the local store: magic (8 bytes), key id (8), nonce (12), ciphertext, tag (16). AES-256-GCM;
 * header and path are authenticated with it, so that a file neither changes nor stands in for another.
 * Inside: JSON, the newest version first.
 */
export interface StoredSecret {
  readonly versions: readonly StoredVersion[];
}

export interface StoredVersion {
  readonly version: number;
  readonly value: string;
  readonly createdAtMs: number;
  readonly by: string;
}

export interface MasterKey {
  /** 16 hexadecimal digits: the beginning of a hash of the key. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export const masterKeyLength = 32;
export const nonceLength = 12;
const magic = Buffer.from('VIGOSEC\x01', 'latin1');
const keyIdLength = 8;
const tagLength = 16;
const headerLength = magic.length + keyIdLength + nonceLength;

export function masterKey(key: Uint8Array): MasterKey {
  const hash = createHash('sha256').update('vigo/secrets/key-id/v1').update(key).digest('hex');
  return { id: hash.slice(0, 2 * keyIdLength), key };
}

/** `nonce`: 12 random bytes, used once. */
export function encodeSecret(
  path: string,
  secret: StoredSecret,
  { id, key }: MasterKey,
  nonce: Uint8Array,
): Uint8Array {
  const header = Buffer.concat([magic, Buffer.from(id, 'hex'), nonce]);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.concat([header, Buffer.from(path)]));
  const parts = [cipher.update(JSON.stringify(secret), 'utf8'), cipher.final()];
  return Buffer.concat([header, ...parts, cipher.getAuthTag()]);
}

/** The key that a file is encrypted under. Throws SECRETS_DAMAGED. */
export function keyIdOf(path: string, file: Uint8Array): string {
  const bytes = Buffer.from(file);
  if (bytes.length < headerLength + tagLength) throw damaged(path, 'it is cut short');
  if (!bytes.subarray(0, magic.length).equals(magic)) throw damaged(path, 'it is no secret file');
  return bytes.toString('hex', magic.length, magic.length + keyIdLength);
}

/** Throws SECRETS_DAMAGED or SECRETS_WRONG_KEY; never gives another value than was stored. */
export function decodeSecret(
  path: string,
  file: Uint8Array,
  keys: ReadonlyMap<string, MasterKey>,
): StoredSecret {
  const keyId = keyIdOf(path, file);
  const found = keys.get(keyId);
  if (found === undefined) throw new ServerError('SECRETS_WRONG_KEY', { path, keyId });
  const bytes = Buffer.from(file);
  const header = bytes.subarray(0, headerLength);
  const cipher = createDecipheriv('aes-256-gcm', found.key, header.subarray(-nonceLength), {
    authTagLength: tagLength,
  });
  cipher.setAAD(Buffer.concat([header, Buffer.from(path)]));
  cipher.setAuthTag(bytes.subarray(-tagLength));
  try {
    const parts = [cipher.update(bytes.subarray(headerLength, -tagLength)), cipher.final()];
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as StoredSecret;
  } catch (cause) {
    throw new ServerError('SECRETS_DAMAGED', { path, reason: 'it was altered' }, { cause });
  }
}

function damaged(path: string, reason: string): ServerError {
  return new ServerError('SECRETS_DAMAGED', { path, reason });
}
