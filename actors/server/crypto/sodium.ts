import { createPrivateKey } from 'node:crypto';
import sodium from 'sodium-native';
import {
  publicKeyLength,
  type Signer,
  signatureLength,
  type Verifier,
} from '../../../agent/protocol/crypto.ts';

/**
 * libsodium, for the server's hot path. Its functions take Buffers and typed arrays alike and throw
 * on wrong lengths, which therefore are checked here.
 */
export const sodiumVerifier: Verifier = {
  sha256Into: (output, input) => sodium.crypto_hash_sha256(output, input),
  verify: (signature, message, publicKey) =>
    signature.length === signatureLength &&
    publicKey.length === publicKeyLength &&
    sodium.crypto_sign_verify_detached(signature, message, publicKey),
};

/** A signer from an Ed25519 private key in PKCS#8 PEM. */
export function sodiumPemSigner(pem: string): Signer {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return sodiumSigner(der.subarray(-32));
}

/** `seed`: the 32 bytes of an Ed25519 private key (RFC 8032, 5.1.5). */
export function sodiumSigner(seed: Uint8Array): Signer {
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES);
  const secretKey = sodium.sodium_malloc(sodium.crypto_sign_SECRETKEYBYTES);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
  return {
    publicKey,
    sha256Into: sodiumVerifier.sha256Into,
    sign(message) {
      const signature = Buffer.alloc(signatureLength);
      sodium.crypto_sign_detached(signature, message, secretKey);
      return signature;
    },
  };
}
