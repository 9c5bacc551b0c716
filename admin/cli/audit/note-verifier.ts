import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Verifier } from '../../../agent/protocol/crypto.ts';

/** RFC 8410: what precedes the 32 bytes of a key in SubjectPublicKeyInfo. */
const keyPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Ed25519 and SHA-256 of Node. */
export const noteVerifier: Verifier = {
  sha256Into(output, input) {
    output.set(createHash('sha256').update(input).digest());
  },
  verify(signature, message, publicKey) {
    const key = Buffer.concat([keyPrefix, publicKey]);
    return verify(null, message, createPublicKey({ key, format: 'der', type: 'spki' }), signature);
  },
};
