import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  type KeyObject,
} from 'node:crypto';
import type { HpkePrimitives } from '../protocol/hpke.ts';

/** RFC 8410: what precedes the 32 bytes of an X25519 key in PKCS#8 and in SubjectPublicKeyInfo. */
const privateKeyPrefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const publicKeyPrefix = Buffer.from('302a300506032b656e032100', 'hex');
const tagLength = 16;
const seedLength = 32;

/** node:crypto's part in HPKE. */
export const nodeHpke: HpkePrimitives = {
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  x25519: (privateKey, publicKey) =>
    diffieHellman({ privateKey: privateObject(privateKey), publicKey: publicObject(publicKey) }),
  x25519PublicKey: (privateKey) =>
    createPublicKey(privateObject(privateKey))
      .export({ format: 'der', type: 'spki' })
      .subarray(publicKeyPrefix.length),
  seal(key, nonce, data, text) {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagLength });
    cipher.setAAD(data, { plaintextLength: text.length });
    const sealed = [cipher.update(text), cipher.final()];
    return Buffer.concat([...sealed, cipher.getAuthTag()]);
  },
  open(key, nonce, data, sealed) {
    const end = sealed.length - tagLength;
    const cipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagLength });
    cipher.setAAD(data, { plaintextLength: end });
    cipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([cipher.update(sealed.subarray(0, end)), cipher.final()]);
  },
};

/**
 * The X25519 private key that belongs to an Ed25519 key (PKCS#8 PEM): the clamped first half of the
 * SHA-512 of its seed (RFC 8032, 5.1.5; RFC 7748 clamps the same bits), 32 bytes.
 */
export function agreementKey(ed25519Pem: string): Uint8Array {
  const der = createPrivateKey(ed25519Pem).export({ format: 'der', type: 'pkcs8' });
  return hash('sha512', der.subarray(-seedLength), 'buffer').subarray(0, seedLength);
}

function privateObject(key: Uint8Array): KeyObject {
  const der = Buffer.concat([privateKeyPrefix, key]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function publicObject(key: Uint8Array): KeyObject {
  const der = Buffer.concat([publicKeyPrefix, key]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}
