import { hashLength, type Sha256, sha256 } from './crypto.ts';

const leafPrefix = 0x00;
const nodePrefix = 0x01;

/**
 * Merkle tree hash of RFC 6962, 2.1: leaves and nodes are hashed under different prefixes, so that
 * no leaf can pass for a node. The left subtree holds the largest power of two below the count.
 */
export function merkleRoot(leaves: readonly Uint8Array[], crypto: Sha256): Uint8Array {
  if (leaves.length === 0) return sha256(crypto, new Uint8Array(0));
  return subtree(
    leaves.map((leaf) => leafHash(leaf, crypto)),
    crypto,
  );
}

export function leafHash(leaf: Uint8Array, crypto: Sha256): Uint8Array {
  const input = new Uint8Array(1 + leaf.length);
  input[0] = leafPrefix;
  input.set(leaf, 1);
  return sha256(crypto, input);
}

/** Recursion is as deep as the logarithm of the count. */
function subtree(hashes: readonly Uint8Array[], crypto: Sha256): Uint8Array {
  if (hashes.length === 1) return hashes[0]!;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  const left = subtree(hashes.slice(0, split), crypto);
  return nodeHash(left, subtree(hashes.slice(split), crypto), crypto);
}

/** The hash of an inner node from those of its children, 32 bytes each. */
export function nodeHash(left: Uint8Array, right: Uint8Array, crypto: Sha256): Uint8Array {
  const input = new Uint8Array(1 + 2 * hashLength);
  input[0] = nodePrefix;
  input.set(left, 1);
  input.set(right, 1 + hashLength);
  return sha256(crypto, input);
}
