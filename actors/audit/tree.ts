import { type Sha256, sha256 } from '../../agent/protocol/crypto.ts';
import { nodeHash } from '../../agent/protocol/merkle.ts';

/**
 * The Merkle tree of RFC 6962 as stored: the hash of every complete subtree of 2^level leaves, at
 * its position among those of its level. Such a node never changes once it is written, so the
 * tree only grows by rows, and a proof reads as many of them as the tree is high.
 */
export interface NodePlace {
  /** 0 = leaf hashes. */
  readonly level: number;
  readonly position: number;
}

export interface TreeNode extends NodePlace {
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** Leaves from `start` up to but not including `end`; `start` is a multiple of the next power of 2. */
interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** One hash of a proof or a root: the nodes, left to right, that are folded into it. */
export type NodeFold = readonly NodePlace[];

/** The complete subtrees that make up a tree, largest first: its frontier. */
export function frontierPlaces(size: number): NodeFold {
  return placesOf({ start: 0, end: size });
}

/** PATH(index, D[size]) of RFC 6962, 2.1.1: from the leaf's sibling up. */
export function inclusionFolds(index: number, size: number): NodeFold[] {
  const folds: NodeFold[] = [];
  let range: LeafRange = { start: 0, end: size };
  while (range.end - range.start > 1) {
    const split = range.start + largestPowerBelow(range.end - range.start);
    const left = { start: range.start, end: split };
    const right = { start: split, end: range.end };
    const isLeft = index < split;
    folds.push(placesOf(isLeft ? right : left));
    range = isLeft ? left : right;
  }
  return folds.reverse();
}

/** PROOF(older, D[newer]) of RFC 6962, 2.1.2; empty for equal sizes and for an empty older tree. */
export function consistencyFolds(older: number, newer: number): NodeFold[] {
  if (older <= 0 || older >= newer) return [];
  const folds: NodeFold[] = [];
  let range: LeafRange = { start: 0, end: newer };
  // Whether the older tree is a whole subtree that its root tells already.
  let isKnown = true;
  while (older < range.end) {
    const split = range.start + largestPowerBelow(range.end - range.start);
    if (older <= split) {
      folds.push(placesOf({ start: split, end: range.end }));
      range = { start: range.start, end: split };
    } else {
      folds.push(placesOf({ start: range.start, end: split }));
      range = { start: split, end: range.end };
      isKnown = false;
    }
  }
  if (!isKnown) folds.push(placesOf(range));
  return folds.reverse();
}

/** The root of a tree, or of a subtree, from its complete parts, left to right. */
export function foldHashes(hashes: readonly Uint8Array[], crypto: Sha256): Uint8Array {
  const last = hashes.at(-1);
  if (last === undefined) return sha256(crypto, new Uint8Array(0));
  let hash = last;
  for (let at = hashes.length - 2; at >= 0; at--) {
    const left = hashes[at];
    if (left !== undefined) hash = nodeHash(left, hash, crypto);
  }
  return hash;
}

/**
 * A tree while leaves are added to it: holds its frontier only, and returns the nodes that became
 * complete. Throws for a frontier that is not that of `size`.
 */
export class GrowingTree {
  readonly #crypto: Sha256;
  readonly #frontier: Uint8Array[];
  #size: number;

  constructor(size: number, frontier: readonly Uint8Array[], crypto: Sha256) {
    if (frontier.length !== frontierPlaces(size).length) {
      throw new RangeError(`a tree of ${size} leaves has another frontier`);
    }
    this.#size = size;
    this.#frontier = [...frontier];
    this.#crypto = crypto;
  }

  get size(): number {
    return this.#size;
  }

  get root(): Uint8Array {
    return foldHashes(this.#frontier, this.#crypto);
  }

  add(leaf: Uint8Array): TreeNode[] {
    let place = { level: 0, position: this.#size };
    let hash = leaf;
    const complete: TreeNode[] = [{ ...place, hash }];
    while (place.position % 2 === 1) {
      const left = this.#frontier.pop();
      if (left === undefined) throw new RangeError('the frontier has too few nodes');
      hash = nodeHash(left, hash, this.#crypto);
      place = { level: place.level + 1, position: (place.position - 1) / 2 };
      complete.push({ ...place, hash });
    }
    this.#frontier.push(hash);
    this.#size += 1;
    return complete;
  }
}

function placesOf({ start, end }: LeafRange): NodePlace[] {
  const places: NodePlace[] = [];
  let at = start;
  while (at < end) {
    let width = 1;
    let level = 0;
    while (at + width * 2 <= end && at % (width * 2) === 0) {
      width *= 2;
      level += 1;
    }
    places.push({ level, position: at / width });
    at += width;
  }
  return places;
}

/** The largest power of two below `count`, which is more than 1. */
function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}
