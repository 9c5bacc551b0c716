import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import {
  publicKeyLength,
  type Sha256,
  type Signer,
  signatureLength,
  type Verifier,
} from '../protocol/crypto.ts';

/** RFC 8410: what precedes the 32 bytes of a key in PKCS#8 and in SubjectPublicKeyInfo. */
const privateKeyPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicKeyPrefix = Buffer.from('302a300506032b6570032100', 'hex');
/** Parsed public keys kept; an agent knows one or two. */
const keyCacheLimit = 16;

const nodeSha256: Sha256 = {
  sha256Into(output, input) {
    output.set(hash('sha256', input, 'buffer'));
  },
};

/** Ed25519 verification with node:crypto. */
export function nodeVerifier(): Verifier {
  const keys = new Map<string, KeyObject>();
  return {
    ...nodeSha256,
    verify(signature, message, publicKey) {
      if (signature.length !== signatureLength || publicKey.length !== publicKeyLength)
        return false;
      const name = Buffer.from(publicKey).toString('hex');
      let key = keys.get(name);
      if (key === undefined) {
        key = publicKeyObject(publicKey);
        if (keys.size >= keyCacheLimit) keys.clear();
        keys.set(name, key);
      }
      return verify(null, message, key, signature);
    },
  };
}

/** A signer whose private key is the 32-byte seed of RFC 8032. */
export function nodeSigner(seed: Uint8Array): Signer {
  const key = createPrivateKey({
    key: Buffer.concat([privateKeyPrefix, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  return signerOf(key);
}

/** A signer from a PKCS#8 key in PEM. Throws when it is no Ed25519 key. */
export function pemSigner(pem: string): Signer {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`an ${key.asymmetricKeyType ?? 'unknown'} key where Ed25519 is needed`);
  return signerOf(key);
}

/** A new Ed25519 key as PKCS#8 PEM. */
export function generateKeyPem(): string {
  return generateKeyPairSync('ed25519')
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

function signerOf(key: KeyObject): Signer {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const publicKey = Uint8Array.from(spki.subarray(publicKeyPrefix.length));
  return { ...nodeSha256, publicKey, sign: (message) => sign(null, message, key) };
}

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.concat([publicKeyPrefix, publicKey]),
    format: 'der',
    type: 'spki',
  });
}
