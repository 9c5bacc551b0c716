/** What is lost when this fails: proofs that the audit log was not changed prove nothing. */
import t from 'tap';
import { nodeSha256 } from '../../../actors/audit/leaf.ts';
import {
  consistencyFolds,
  foldHashes,
  frontierPlaces,
  GrowingTree,
  inclusionFolds,
  type NodeFold,
} from '../../../actors/audit/tree.ts';
import { fromHex, toHex } from '../../../agent/protocol/bytes.ts';
import { leafHash, merkleRoot } from '../../../agent/protocol/merkle.ts';
import { fromBase64, toBase64 } from '../../../agent/protocol/transparency/base64.ts';
import { verifyConsistency, verifyInclusion } from '../../../agent/protocol/transparency/proof.ts';
import {
  consistencies,
  inclusions,
  leaves as knownLeaves,
  roots,
} from '../../agent/protocol/transparency/vectors.ts';
import { fc } from '../../support/property.ts';

const crypto = nodeSha256;

/** Every node of a log, as the database would hold them. */
class StoredTree {
  readonly nodes = new Map<string, Uint8Array>();
  readonly tree = new GrowingTree(0, [], crypto);
  reads = 0;

  constructor(leaves: readonly Uint8Array[]) {
    for (const leaf of leaves) {
      for (const { level, position, hash } of this.tree.add(leafHash(leaf, crypto)))
        this.nodes.set(`${level}/${position}`, hash);
    }
  }

  fold(fold: NodeFold): Uint8Array {
    const hashes = fold.map(({ level, position }) => {
      this.reads += 1;
      return this.nodes.get(`${level}/${position}`) ?? new Uint8Array(0);
    });
    return foldHashes(hashes, crypto);
  }
}

const bytesOf = (text: string): Uint8Array => fromHex(text) ?? new Uint8Array(0);
const hashOf = (text: string): Uint8Array => fromBase64(text) ?? new Uint8Array(0);

t.test("Certificate Transparency's vectors hold", async (t) => {
  const leaves = knownLeaves.map(bytesOf);
  const stored = new StoredTree(leaves);
  const head = (size: number) => ({ size, root: bytesOf(roots[size - 1] ?? '') });
  for (const [index, root] of roots.entries()) {
    const size = index + 1;
    t.equal(toHex(merkleRoot(leaves.slice(0, size), crypto)), root);
    t.equal(toHex(stored.fold(frontierPlaces(size))), root);
    const frontier = frontierPlaces(size).map((place) => stored.fold([place]));
    t.equal(toHex(new GrowingTree(size, frontier, crypto).root), root);
  }
  t.equal(
    toHex(stored.fold(frontierPlaces(0))),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
  for (const { index, size, leaf, proof } of inclusions) {
    const made = inclusionFolds(index, size).map((fold) => toBase64(stored.fold(fold)));
    t.same(made, proof, `inclusion of ${index} in ${size}`);
    t.equal(toBase64(leafHash(leaves[index] ?? new Uint8Array(0), crypto)), leaf);
    const claim = { index, leaf: hashOf(leaf) };
    t.ok(verifyInclusion(claim, head(size), proof.map(hashOf), crypto));
  }
  for (const { older, newer, proof } of consistencies) {
    const made = consistencyFolds(older, newer).map((fold) => toBase64(stored.fold(fold)));
    t.same(made, proof, `consistency of ${older} and ${newer}`);
    t.ok(verifyConsistency(head(older), head(newer), proof.map(hashOf), crypto));
  }
});

const sizes = fc.integer({ min: 1, max: 300 });

t.test('every proof of every tree verifies, and no altered one does', async () => {
  const stored = new StoredTree(
    Array.from({ length: 300 }, (_, index) => Uint8Array.of(index, index >> 8)),
  );
  const root = (size: number) => stored.fold(frontierPlaces(size));
  const garbage = new Uint8Array(32).fill(7);
  fc.assert(
    fc.property(sizes, sizes, fc.nat({ max: 299 }), fc.nat(), (one, other, pick, noise) => {
      const [older, newer] = [Math.min(one, other), Math.max(one, other)];
      const heads = [older, newer].map((size) => ({ size, root: root(size) }));
      const [first, second] = heads as [(typeof heads)[0], (typeof heads)[0]];
      const consistent = consistencyFolds(older, newer).map((fold) => stored.fold(fold));
      if (!verifyConsistency(first, second, consistent, crypto)) return false;
      const index = pick % newer;
      const claim = { index, leaf: stored.fold([{ level: 0, position: index }]) };
      const included = inclusionFolds(index, newer).map((fold) => stored.fold(fold));
      if (!verifyInclusion(claim, second, included, crypto)) return false;
      const bad = (proof: Uint8Array[]): Uint8Array[][] => [
        [...proof, garbage],
        [garbage, ...proof],
        ...(proof.length === 0 ? [] : [proof.slice(1), proof.with(noise % proof.length, garbage)]),
      ];
      const forgedRoot = { size: older, root: garbage };
      return (
        bad(consistent).every((proof) => !verifyConsistency(first, second, proof, crypto)) &&
        bad(included).every((proof) => !verifyInclusion(claim, second, proof, crypto)) &&
        !verifyConsistency(forgedRoot, second, consistent, crypto) &&
        !verifyInclusion({ ...claim, leaf: garbage }, second, included, crypto) &&
        !verifyInclusion({ ...claim, index: newer }, second, included, crypto)
      );
    }),
    { numRuns: 150 },
  );
});

t.test('the stored tree is the one of the definition', async (t) => {
  const logs = fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 70 });
  fc.assert(
    fc.property(logs, (leaves) => {
      const { tree } = new StoredTree(leaves);
      return toHex(tree.root) === toHex(merkleRoot(leaves, crypto)) && tree.size === leaves.length;
    }),
    { numRuns: 60 },
  );
  t.throws(() => new GrowingTree(3, [new Uint8Array(32)], crypto), /frontier/);
});

t.test('a proof over millions of entries reads some dozens of nodes', async (t) => {
  const million = 5_000_003;
  for (const index of [0, 1, 2_500_000, million - 1]) {
    const reads = inclusionFolds(index, million).flat().length;
    t.ok(reads <= 46, `inclusion of ${index}: ${reads} nodes`);
  }
  for (const older of [1, 999_999, 4_194_304, million - 1]) {
    const reads = consistencyFolds(older, million).flat().length;
    t.ok(reads <= 46, `consistency from ${older}: ${reads} nodes`);
  }
  t.equal(frontierPlaces(2 ** 40 + 1).length, 2, 'sizes beyond 32 bits');
});
