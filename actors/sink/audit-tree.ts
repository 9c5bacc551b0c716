import type { Kysely, SelectQueryBuilder, Transaction } from 'kysely';
import type { TreeHead } from '../../agent/protocol/transparency/proof.ts';
import type { AuditRow } from '../audit/chain.ts';
import { entryHash, nodeSha256 } from '../audit/leaf.ts';
import {
  consistencyFolds,
  foldHashes,
  frontierPlaces,
  GrowingTree,
  inclusionFolds,
  type NodeFold,
  type NodePlace,
  type TreeNode,
} from '../audit/tree.ts';
import { type AuditNodesTable, insertNodes, rebuildAuditTree } from './audit-tree-tables.ts';
import type { SinkSchema } from './schema.ts';

/** Reads nodes by their places; of an asynchronous connection or of a synchronous one. */
export type NodeRows = readonly Pick<AuditNodesTable, 'level' | 'position' | 'hash'>[];

/** The rows of these nodes, in no order. A proof has fewer than 64. */
export function nodesQuery(
  reader: Kysely<SinkSchema>,
  places: readonly NodePlace[],
): SelectQueryBuilder<SinkSchema, 'audit_nodes', AuditNodesTable> {
  return reader
    .selectFrom('audit_nodes')
    .selectAll()
    .where((where) =>
      where.or(places.map(({ level, position }) => where.and({ level, position }))),
    );
}

/**
 * The hashes of these folds from the rows of their nodes; undefined when a node is missing, which
 * only somebody who changed the database can bring about.
 */
export function foldRows(folds: readonly NodeFold[], rows: NodeRows): Uint8Array[] | undefined {
  const known = new Map(rows.map(({ level, position, hash }) => [`${level}/${position}`, hash]));
  const hashes: Uint8Array[] = [];
  for (const fold of folds) {
    const parts = fold.flatMap(({ level, position }) => known.get(`${level}/${position}`) ?? []);
    if (parts.length < fold.length) return undefined;
    hashes.push(
      foldHashes(
        parts.map((part) => Uint8Array.from(part)),
        nodeSha256,
      ),
    );
  }
  return hashes;
}

async function readFolds(
  reader: Kysely<SinkSchema>,
  folds: readonly NodeFold[],
): Promise<Uint8Array[] | undefined> {
  const places = folds.flat();
  const rows = places.length === 0 ? [] : await nodesQuery(reader, places).execute();
  return foldRows(folds, rows);
}

/** Adds entries to the tree, in the transaction that adds them to the log behind `size` others. */
export async function extendTree(
  writer: Transaction<SinkSchema>,
  size: number,
  rows: readonly AuditRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const places = frontierPlaces(size);
  const frontier = await readFolds(
    writer,
    places.map((place) => [place]),
  );
  if (frontier === undefined) {
    // Somebody took nodes away. The log goes on; its witnesses will tell what was changed.
    await rebuildAuditTree(writer);
    return;
  }
  const tree = new GrowingTree(size, frontier, nodeSha256);
  const nodes: TreeNode[] = [];
  for (const row of rows) nodes.push(...tree.add(entryHash(row)));
  await insertNodes(writer, nodes);
}

/** The tree over the first `size` entries; undefined when nodes of it are missing. */
export async function readTreeHead(
  reader: Kysely<SinkSchema>,
  size: number,
): Promise<TreeHead | undefined> {
  const hashes = await readFolds(reader, [frontierPlaces(size)]);
  return hashes?.[0] === undefined ? undefined : { size, root: hashes[0] };
}

export function readConsistency(
  reader: Kysely<SinkSchema>,
  older: number,
  newer: number,
): Promise<Uint8Array[] | undefined> {
  return readFolds(reader, consistencyFolds(older, newer));
}

/** `index` counts from 0. */
export function readInclusion(
  reader: Kysely<SinkSchema>,
  index: number,
  size: number,
): Promise<Uint8Array[] | undefined> {
  return readFolds(reader, inclusionFolds(index, size));
}
