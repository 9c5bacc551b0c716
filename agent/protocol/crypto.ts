/**
 * The doors through which cryptography enters the contract: node:crypto in agent/platform, a native
 * library on the server, a portable one in cross-checks.
 */
export interface Sha256 {
  /** Writes the SHA-256 of `input` into `output`, which is exactly 32 bytes long. */
  sha256Into(output: Uint8Array, input: Uint8Array): void;
}

/** Ed25519 (RFC 8032) verification. Malformed keys and signatures are simply not valid. */
export interface Verifier extends Sha256 {
  /** `signature` is 64 bytes, `publicKey` 32. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

/** Holder of one Ed25519 private key. */
export interface Signer extends Sha256 {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Returns 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

export const hashLength = 32;
export const signatureLength = 64;
export const publicKeyLength = 32;

export function sha256(crypto: Sha256, input: Uint8Array): Uint8Array {
  const output = new Uint8Array(hashLength);
  crypto.sha256Into(output, input);
  return output;
}
