import { type Kysely, sql } from 'kysely';
import { leafHash } from '../../agent/protocol/merkle.ts';
import { entryHash, nodeSha256 } from '../audit/leaf.ts';
import { GrowingTree, type TreeNode } from '../audit/tree.ts';
import { auditRow } from './audit-row.ts';
import { insertChunk } from './limits.ts';
import type { SinkSchema } from './schema.ts';

/** The Merkle tree over `audit_log` and what was signed of it. */
export interface AuditTreeSchema {
  audit_nodes: AuditNodesTable;
  audit_checkpoints: AuditCheckpointsTable;
  audit_cosignatures: AuditCosignaturesTable;
}

/** One row per complete subtree; never changed, for a log that nobody touched. */
export interface AuditNodesTable {
  level: number;
  position: number;
  hash: Uint8Array;
}

export interface AuditCheckpointsTable {
  size: number;
  /** 32 bytes. */
  root: Uint8Array;
  /** The signed note, without cosignatures. */
  note: string;
  at_ms: number;
}

export interface AuditCosignaturesTable {
  size: number;
  envoy_id: string;
  /** 8 bytes of seconds, 64 of signature. */
  payload: Uint8Array;
}

/** Rows that the migration reads at a time. */
const migrationPage = 5_000;

const missingEntryHash = leafHash(new Uint8Array(0), nodeSha256);

/** Makes the tables, and the tree of a log that was kept without one. */
export async function createAuditTreeTables(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('audit_nodes')
    .addColumn('level', 'integer', (column) => column.notNull())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_nodes_key', ['level', 'position'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await schema
    .createTable('audit_checkpoints')
    .addColumn('size', 'bigint', (column) => column.primaryKey())
    .addColumn('root', 'blob', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await schema
    .createTable('audit_cosignatures')
    .addColumn('size', 'bigint', (column) => column.notNull())
    .addColumn('envoy_id', 'text', (column) => column.notNull())
    .addColumn('payload', 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_cosignatures_key', ['size', 'envoy_id'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await rebuildAuditTree(database as Kysely<SinkSchema>);
}

/**
 * The whole tree anew from the log, in the caller's transaction: of a log without one, or whose
 * nodes are gone. An entry that is missing gets the hash of no entry, so that the tree tells of it.
 */
export async function rebuildAuditTree(database: Kysely<SinkSchema>): Promise<GrowingTree> {
  const tree = new GrowingTree(0, [], nodeSha256);
  await database.deleteFrom('audit_nodes').execute();
  for (;;) {
    const rows = await database
      .selectFrom('audit_log')
      .selectAll()
      .where('sequence', '>', tree.size)
      .orderBy('sequence')
      .limit(migrationPage)
      .execute();
    const nodes: TreeNode[] = [];
    for (const row of rows) {
      while (tree.size + 1 < row.sequence) nodes.push(...tree.add(missingEntryHash));
      nodes.push(...tree.add(entryHash(auditRow(row))));
    }
    await insertNodes(database, nodes);
    if (rows.length < migrationPage) return tree;
  }
}

export async function insertNodes(
  writer: Kysely<SinkSchema>,
  nodes: readonly TreeNode[],
): Promise<void> {
  for (let at = 0; at < nodes.length; at += insertChunk) {
    await writer
      .insertInto('audit_nodes')
      .values(nodes.slice(at, at + insertChunk).map((node) => ({ ...node })))
      // Nodes behind the end of a log that was cut.
      .onConflict((conflict) =>
        conflict.columns(['level', 'position']).doUpdateSet((row) => ({
          hash: row.ref('excluded.hash'),
        })),
      )
      .execute();
  }
}
