import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto';
import sodium from 'sodium-native';
import type { HpkePrimitives } from '../../../agent/protocol/hpke.ts';
import { ServerError } from '../../errors.ts';

/** RFC 8410: what precedes the 32 bytes of an X25519 key in PKCS#8 and in SubjectPublicKeyInfo. */
const privateKeyPrefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const publicKeyPrefix = Buffer.from('302a300506032b656e032100', 'hex');
const keyLength = 32;
const tagLength = 16;

/** The server's part in HPKE, by node:crypto. */
export const serverHpke: HpkePrimitives = {
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  x25519(privateKey, publicKey) {
    const der = Buffer.concat([publicKeyPrefix, publicKey]);
    const peer = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return diffieHellman({ privateKey: keyOf(privateKey), publicKey: peer });
  },
  x25519PublicKey: (privateKey) =>
    createPublicKey(keyOf(privateKey)).export({ format: 'der', type: 'spki' }).subarray(-keyLength),
  seal(key, nonce, data, text) {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagLength });
    cipher.setAAD(data, { plaintextLength: text.length });
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  },
  open(key, nonce, data, sealed) {
    const end = sealed.length - tagLength;
    const cipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagLength });
    cipher.setAAD(data, { plaintextLength: end });
    cipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([cipher.update(sealed.subarray(0, end)), cipher.final()]);
  },
};

/** The X25519 form of an Ed25519 public key. Throws SECRETS_KEY_UNUSABLE for one of small order. */
export function agreementPublicKey(ed25519: Uint8Array): Uint8Array {
  const converted = Buffer.alloc(keyLength);
  try {
    sodium.crypto_sign_ed25519_pk_to_curve25519(converted, ed25519);
  } catch (cause) {
    throw new ServerError('SECRETS_KEY_UNUSABLE', {}, { cause });
  }
  return converted;
}

function keyOf(privateKey: Uint8Array) {
  const der = Buffer.concat([privateKeyPrefix, privateKey]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
