import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Secrets of second factors must be read again, so they cannot be hashes; the database holds them sealed
 * (AES-256-GCM, bound to their account) under a key that stands elsewhere.
 */
export interface SecretSeal {
  seal(secret: Uint8Array, accountId: string, nonce: Uint8Array): string;
  /** Throws when it was sealed for another account or under another key. */
  open(sealed: string, accountId: string): Uint8Array;
}

export const sealNonceBytes = nonceBytes;

/** The key is derived from one that the server has anyway, and backs up. */
export function secretSeal(rootKeyPem: string): SecretSeal {
  const key = Buffer.from(hkdfSync('sha256', rootKeyPem, '', 'vigo account second factor 1', 32));
  return {
    seal: (secret, accountId, nonce) => {
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(accountId));
      const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
      return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
    },
    open: (text, accountId) => {
      const bytes = Buffer.from(text, 'base64url');
      const end = bytes.length - tagBytes;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
        .setAAD(Buffer.from(accountId))
        .setAuthTag(bytes.subarray(end));
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, end)), decipher.final()]);
    },
  };
}
