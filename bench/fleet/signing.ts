import { createRequire } from 'node:module';
import { type Signer, signatureLength } from '../../agent/protocol/crypto.ts';

interface Sodium {
  crypto_hash_sha256(output: Uint8Array, input: Uint8Array): void;
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean;
}

/** The same library that the server verifies with, so that the two costs compare. */
const sodium = createRequire(import.meta.url)('sodium-native') as Sodium;

const seedLength = 32;
const secretKeyLength = 64;

/** Signs into bytes that are there already. */
export interface BenchSigner extends Signer {
  /** `signature`: 64 bytes, written. */
  signInto(signature: Uint8Array, message: Uint8Array): void;
}

/** `seed`: the 32 bytes of an Ed25519 private key. */
export function signerOf(seed: Uint8Array): BenchSigner {
  if (seed.length !== seedLength) throw new RangeError('an Ed25519 seed is 32 bytes long');
  const publicKey = Buffer.alloc(32);
  const secretKey = Buffer.alloc(secretKeyLength);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
  return {
    publicKey,
    sha256Into: (output, input) => sodium.crypto_hash_sha256(output, input),
    sign(message) {
      const signature = Buffer.allocUnsafe(signatureLength);
      sodium.crypto_sign_detached(signature, message, secretKey);
      return signature;
    },
    signInto: (signature, message) => sodium.crypto_sign_detached(signature, message, secretKey),
  };
}

/**
 * CPU microseconds of one strict Ed25519 verification of a message as long as a check-in's canonical
 * bytes, on this machine, now: one figure per round.
 */
export function measureVerifyUs(messageLength = 170, rounds = 7, perRound = 500): number[] {
  const signer = signerOf(Buffer.alloc(seedLength, 7));
  const message = Buffer.alloc(messageLength, 1);
  const signature = signer.sign(message);
  return Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    for (let count = 0; count < perRound; count += 1) {
      sodium.crypto_sign_verify_detached(signature, message, signer.publicKey);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / perRound;
  });
}

/** The upper one of the two in the middle when their number is even; 0 of none. */
export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
