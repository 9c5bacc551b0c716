import type { Kysely } from 'kysely';
import type { TreeHead } from '../../agent/protocol/transparency/proof.ts';
import type { AuditRow } from '../audit/chain.ts';
import type { StoredCheckpoint, StoredCosignature } from '../audit/messages.ts';
import { readHead } from './audit-append.ts';
import { auditRow } from './audit-row.ts';
import { readConsistency, readInclusion, readTreeHead } from './audit-tree.ts';
import { rebuildAuditTree } from './audit-tree-tables.ts';
import type { SinkSchema } from './schema.ts';

/** Checkpoints that are kept, with their cosignatures; the oldest leave first. */
const checkpointLimit = 1_000;
/** Checkpoints that one save may forget. */
const forgetLimit = 64;

type Use = <T>(run: (database: Kysely<SinkSchema>) => Promise<T>) => Promise<T>;

/** What the audit actor reads and writes of the database. Methods reject with SINK_*. */
export class AuditLogStore {
  readonly #use: Use;

  constructor(use: Use) {
    this.#use = use;
  }

  /** The tree as it is on disk; made anew when nodes of it are gone. */
  async head(): Promise<TreeHead> {
    return await this.#use(async (database) => {
      const { sequence } = await readHead(database);
      const head = await readTreeHead(database, sequence);
      if (head !== undefined) return head;
      const tree = await database.transaction().execute((writer) => rebuildAuditTree(writer));
      return { size: tree.size, root: tree.root };
    });
  }

  /** Undefined when nodes are missing. */
  async consistency(older: number, newer: number): Promise<Uint8Array[] | undefined> {
    return await this.#use((database) => readConsistency(database, older, newer));
  }

  async inclusion(sequence: number, size: number): Promise<Uint8Array[] | undefined> {
    return await this.#use((database) => readInclusion(database, sequence - 1, size));
  }

  /** The newest entry of this type. */
  async lastOfType(type: string): Promise<AuditRow | undefined> {
    return await this.#use(async (database) => {
      const row = await database
        .selectFrom('audit_log')
        .selectAll()
        .where('type', '=', type)
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? undefined : auditRow(row);
    });
  }

  /** Newest first. */
  async checkpoints(limit: number): Promise<StoredCheckpoint[]> {
    return await this.#use(async (database) => {
      const rows = await database
        .selectFrom('audit_checkpoints')
        .selectAll()
        .orderBy('at_ms', 'desc')
        .orderBy('size', 'desc')
        .limit(limit)
        .execute();
      return rows.map(({ size, root, note, at_ms }) => ({
        size,
        root: Uint8Array.from(root),
        note,
        atMs: at_ms,
      }));
    });
  }

  /** Replaces one of the same size, and forgets the oldest ones beyond the limit. */
  async saveCheckpoint({ size, root, note, atMs }: StoredCheckpoint): Promise<void> {
    await this.#use((database) =>
      database.transaction().execute(async (writer) => {
        await writer.deleteFrom('audit_cosignatures').where('size', '=', size).execute();
        const columns = { root, note, at_ms: atMs };
        await writer
          .insertInto('audit_checkpoints')
          .values({ size, ...columns })
          .onConflict((conflict) => conflict.column('size').doUpdateSet(columns))
          .execute();
        const old = await writer
          .selectFrom('audit_checkpoints')
          .select('size')
          .orderBy('at_ms', 'desc')
          .orderBy('size', 'desc')
          .offset(checkpointLimit)
          .limit(forgetLimit)
          .execute();
        for (const { size: forgotten } of old) {
          await writer.deleteFrom('audit_checkpoints').where('size', '=', forgotten).execute();
          await writer.deleteFrom('audit_cosignatures').where('size', '=', forgotten).execute();
        }
      }),
    );
  }

  /** Of checkpoints that are kept; a second one of a witness replaces its first. */
  async saveCosignatures(cosignatures: readonly StoredCosignature[]): Promise<void> {
    await this.#use((database) =>
      database.transaction().execute(async (writer) => {
        for (const { size, envoyId, payload } of cosignatures) {
          await writer
            .insertInto('audit_cosignatures')
            .values({ size, envoy_id: envoyId, payload })
            .onConflict((conflict) =>
              conflict.columns(['size', 'envoy_id']).doUpdateSet({ payload }),
            )
            .execute();
        }
      }),
    );
  }

  /** Envoys whose cosignature of this checkpoint is kept. */
  async witnesses(size: number): Promise<string[]> {
    return await this.#use(async (database) => {
      const rows = await database
        .selectFrom('audit_cosignatures')
        .select('envoy_id')
        .where('size', '=', size)
        .execute();
      return rows.map(({ envoy_id }) => envoy_id);
    });
  }
}
