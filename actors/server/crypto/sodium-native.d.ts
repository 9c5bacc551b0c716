/** The part of sodium-native 5 that this project uses; the package has no types of its own. */
declare module 'sodium-native' {
  interface Sodium {
    readonly crypto_sign_PUBLICKEYBYTES: 32;
    readonly crypto_sign_SECRETKEYBYTES: 64;
    crypto_hash_sha256(output: Uint8Array, input: Uint8Array): void;
    crypto_sign_verify_detached(
      signature: Uint8Array,
      message: Uint8Array,
      publicKey: Uint8Array,
    ): boolean;
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
    crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
    /** Throws for keys of small order. */
    crypto_sign_ed25519_pk_to_curve25519(output: Uint8Array, publicKey: Uint8Array): void;
    /** `cipher`: 16 bytes longer than `message`. */
    crypto_aead_chacha20poly1305_ietf_encrypt(
      cipher: Uint8Array,
      message: Uint8Array,
      head: Uint8Array,
      secretNonce: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Throws for what was not sealed so. */
    crypto_aead_chacha20poly1305_ietf_decrypt(
      message: Uint8Array,
      secretNonce: null,
      cipher: Uint8Array,
      head: Uint8Array,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Locked, guarded memory that is zeroed when freed. */
    sodium_malloc(size: number): Buffer;
  }
  const sodium: Sodium;
  export = sodium;
}
