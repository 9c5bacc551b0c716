import { equalBytes } from '../bytes.ts';
import { hashLength, type Sha256 } from '../crypto.ts';
import { nodeHash } from '../merkle.ts';

/** Hashes of the longest proof that is looked at: trees of up to 2^53 leaves. */
export const proofHashLimit = 64;

/** The first `size` leaves have this root. */
export interface TreeHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** True when the leaf hash stands at `index` (from 0) of the tree. RFC 9162, 2.1.3.2. */
export function verifyInclusion(
  { index, leaf }: { readonly index: number; readonly leaf: Uint8Array },
  head: TreeHead,
  proof: readonly Uint8Array[],
  crypto: Sha256,
): boolean {
  if (!isSize(index) || !isSize(head.size) || index >= head.size) return false;
  if (!areHashes([leaf, head.root, ...proof])) return false;
  const at = { node: index, last: head.size - 1 };
  let hash = leaf;
  for (const sibling of proof) {
    if (at.last === 0) return false;
    if (isLeftSibling(at)) {
      hash = nodeHash(sibling, hash, crypto);
      climbToRightChild(at);
    } else {
      hash = nodeHash(hash, sibling, crypto);
    }
    climb(at);
  }
  return at.last === 0 && equalBytes(hash, head.root);
}

/** True when the tree of `newer` begins with all leaves of `older`. RFC 9162, 2.1.4.2. */
export function verifyConsistency(
  older: TreeHead,
  newer: TreeHead,
  proof: readonly Uint8Array[],
  crypto: Sha256,
): boolean {
  if (!isSize(older.size) || !isSize(newer.size) || older.size > newer.size) return false;
  if (!areHashes([older.root, newer.root, ...proof])) return false;
  if (older.size === newer.size) return proof.length === 0 && equalBytes(older.root, newer.root);
  if (older.size === 0) return proof.length === 0;
  if (proof.length === 0) return false;
  const path = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof;
  const at = { node: older.size - 1, last: newer.size - 1 };
  while (isOdd(at.node)) climb(at);
  const [first, ...rest] = path as [Uint8Array, ...Uint8Array[]];
  let oldHash = first;
  let newHash = first;
  for (const sibling of rest) {
    if (at.last === 0) return false;
    if (isLeftSibling(at)) {
      oldHash = nodeHash(sibling, oldHash, crypto);
      newHash = nodeHash(sibling, newHash, crypto);
      climbToRightChild(at);
    } else {
      newHash = nodeHash(newHash, sibling, crypto);
    }
    climb(at);
  }
  return at.last === 0 && equalBytes(oldHash, older.root) && equalBytes(newHash, newer.root);
}

/** Hashes one behind the other, as they travel; undefined when the length does not fit. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] | undefined {
  const count = bytes.length / hashLength;
  if (!Number.isInteger(count) || count > proofHashLimit) return undefined;
  return Array.from({ length: count }, (_, index) =>
    bytes.slice(index * hashLength, (index + 1) * hashLength),
  );
}

/** Where a verification stands: the node and the last node of its level. */
interface Place {
  node: number;
  last: number;
}

function isLeftSibling({ node, last }: Place): boolean {
  return isOdd(node) || node === last;
}

function climbToRightChild(at: Place): void {
  while (!isOdd(at.node) && at.node !== 0) climb(at);
}

/** Division instead of a shift: sizes may pass 32 bits. */
function climb(at: Place): void {
  at.node = Math.floor(at.node / 2);
  at.last = Math.floor(at.last / 2);
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function isPowerOfTwo(value: number): boolean {
  let left = value;
  while (left > 1 && left % 2 === 0) left /= 2;
  return left === 1;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= proofHashLimit + 3 && hashes.every(({ length }) => length === hashLength);
}
