import { AgentError } from '../errors.ts';

/**
 * Hybrid public key encryption, RFC 9180: base mode, one message per encapsulation, with
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305. The primitives come from outside, so
 * that both sides share the construction and its test vectors.
 */
export interface HpkePrimitives {
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** RFC 7748; throws for keys whose shared secret is zero. 32 bytes each. */
  x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
  x25519PublicKey(privateKey: Uint8Array): Uint8Array;
  /** RFC 8439; the tag (16 bytes) follows the text. */
  seal(key: Uint8Array, nonce: Uint8Array, data: Uint8Array, text: Uint8Array): Uint8Array;
  /** Throws when the tag does not fit. */
  open(key: Uint8Array, nonce: Uint8Array, data: Uint8Array, sealed: Uint8Array): Uint8Array;
}

const keyLength = 32;
const nonceLength = 12;
const tagLength = 16;
const kemId = 0x0020;
const kdfId = 0x0001;
const aeadId = 0x0003;
const encoder = new TextEncoder();

const kemSuite = bytes(encoder.encode('KEM'), twoBytes(kemId));
const hpkeSuite = bytes(encoder.encode('HPKE'), twoBytes(kemId), twoBytes(kdfId), twoBytes(aeadId));

/** What the ciphertext is bound to beside the key: purpose and context. */
export interface HpkeBinding {
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
}

/** The encapsulated key (32 bytes), then ciphertext and tag. `ephemeral`: 32 random bytes, used once. */
export function hpkeSeal(
  primitives: HpkePrimitives,
  recipient: Uint8Array,
  ephemeral: Uint8Array,
  binding: HpkeBinding,
  text: Uint8Array,
): Uint8Array {
  const enc = primitives.x25519PublicKey(ephemeral);
  const shared = sharedSecret(primitives, primitives.x25519(ephemeral, recipient), enc, recipient);
  const { key, nonce } = schedule(primitives, shared, binding.info);
  return bytes(enc, primitives.seal(key, nonce, binding.aad, text));
}

/** Throws PROTOCOL_SEAL_BROKEN when it was sealed for another key or bound to something else. */
export function hpkeOpen(
  primitives: HpkePrimitives,
  privateKey: Uint8Array,
  binding: HpkeBinding,
  sealed: Uint8Array,
): Uint8Array {
  if (sealed.length < keyLength + tagLength) throw new AgentError('PROTOCOL_SEAL_BROKEN');
  const enc = sealed.subarray(0, keyLength);
  try {
    const own = primitives.x25519PublicKey(privateKey);
    const shared = sharedSecret(primitives, primitives.x25519(privateKey, enc), enc, own);
    const { key, nonce } = schedule(primitives, shared, binding.info);
    return primitives.open(key, nonce, binding.aad, sealed.subarray(keyLength));
  } catch (cause) {
    throw new AgentError('PROTOCOL_SEAL_BROKEN', {}, { cause });
  }
}

function sharedSecret(
  primitives: HpkePrimitives,
  dh: Uint8Array,
  enc: Uint8Array,
  recipient: Uint8Array,
): Uint8Array {
  const prk = labeledExtract(primitives, kemSuite, new Uint8Array(0), 'eae_prk', dh);
  return labeledExpand(
    primitives,
    kemSuite,
    prk,
    'shared_secret',
    bytes(enc, recipient),
    keyLength,
  );
}

/** KeySchedule of base mode; the sequence number is 0, so the base nonce is the nonce. */
function schedule(primitives: HpkePrimitives, shared: Uint8Array, info: Uint8Array) {
  const none = new Uint8Array(0);
  const context = bytes(
    Uint8Array.of(0),
    labeledExtract(primitives, hpkeSuite, none, 'psk_id_hash', none),
    labeledExtract(primitives, hpkeSuite, none, 'info_hash', info),
  );
  const secret = labeledExtract(primitives, hpkeSuite, shared, 'secret', none);
  return {
    key: labeledExpand(primitives, hpkeSuite, secret, 'key', context, keyLength),
    nonce: labeledExpand(primitives, hpkeSuite, secret, 'base_nonce', context, nonceLength),
  };
}

function labeledExtract(
  primitives: HpkePrimitives,
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  input: Uint8Array,
): Uint8Array {
  const key = salt.length === 0 ? new Uint8Array(keyLength) : salt;
  return primitives.hmacSha256(key, bytes(version, suite, encoder.encode(label), input));
}

/** At most 32 bytes: one block of HKDF-Expand is enough for every use here. */
function labeledExpand(
  primitives: HpkePrimitives,
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const labeled = bytes(twoBytes(length), version, suite, encoder.encode(label), info);
  return primitives.hmacSha256(prk, bytes(labeled, Uint8Array.of(1))).subarray(0, length);
}

const version = encoder.encode('HPKE-v1');

function twoBytes(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function bytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
