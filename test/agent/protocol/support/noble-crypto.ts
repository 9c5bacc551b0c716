import { createHash, hash } from 'node:crypto';
import { getPublicKey, hashes, sign, verify } from '@noble/ed25519';
import type { Signer, Verifier } from '../../../../agent/protocol/crypto.ts';

hashes.sha512 = (message) => Uint8Array.from(createHash('sha512').update(message).digest());

/** A second, independent implementation of the ports, so that vectors are not checked by their maker. */
export function nobleSigner(seed: Uint8Array): Signer {
  return {
    publicKey: getPublicKey(seed),
    sign: (message) => sign(message, seed),
    sha256Into,
  };
}

export const nobleVerifier: Verifier = {
  verify: (signature, message, publicKey) => verify(signature, message, publicKey),
  sha256Into,
};

function sha256Into(output: Uint8Array, input: Uint8Array): void {
  output.set(hash('sha256', input, 'buffer'));
}
