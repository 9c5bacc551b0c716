/**
 * What is lost when this fails: the tree says something else than the log, and an honest server is
 * taken for a liar, or a log that was made before the tree cannot be proven.
 */
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import t from 'tap';
import { appendToChain, genesisHead } from '../../../actors/audit/chain.ts';
import { entryHash, nodeSha256 } from '../../../actors/audit/leaf.ts';
import { GrowingTree } from '../../../actors/audit/tree.ts';
import { readAuditRows } from '../../../actors/sink/audit-rows.ts';
import { createAuditTreeTables } from '../../../actors/sink/audit-tree-tables.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import type { SinkSchema } from '../../../actors/sink/schema.ts';
import { nodeSigner } from '../../../agent/platform/crypto.ts';
import { fromHex, toHex } from '../../../agent/protocol/bytes.ts';
import { fromBase64 } from '../../../agent/protocol/transparency/base64.ts';
import { signCheckpoint } from '../../../agent/protocol/transparency/checkpoint.ts';
import { verifyConsistency, verifyInclusion } from '../../../agent/protocol/transparency/proof.ts';
import { fc } from '../../support/property.ts';
import { auditEvent, envoyIdOf, envoyRecord, testSink } from '../support/sink.ts';

const signer = nodeSigner(new Uint8Array(32).fill(4));
const hashes = (texts: readonly string[]) => texts.map((text) => fromBase64(text)!);

/** The root from the rows themselves. */
function rootOf(file: string): string {
  const tree = new GrowingTree(0, [], nodeSha256);
  for (const row of readAuditRows(file)) tree.add(entryHash(row));
  return toHex(tree.root);
}

t.test('the tree is that of the log after any batches, also refused ones', async () => {
  const batches = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(batches, async (sizes) => {
      const teardowns: (() => void)[] = [];
      const { writer, file } = testSink({ teardown: (run) => teardowns.push(run) });
      const used = { record: 'tokenUsed', id: 'none', envoyId: envoyIdOf(1), atMs: 1 } as const;
      for (const [batch, size] of sizes.entries()) {
        const events = Array.from({ length: size }, (_, at) => auditEvent(`${batch}.${at}`));
        // Every third one fails in another part: then its entries are in neither.
        if (batch % 3 === 2) await writer.write([used], events).catch(() => undefined);
        else await writer.write([], events);
      }
      const head = await writer.auditLog.head();
      const same = toHex(head.root) === rootOf(file);
      for (const run of teardowns) run();
      return same;
    }),
    { numRuns: 8 },
  );
});

t.test('a log without its tree, as older servers kept it, gets one and goes on', async (t) => {
  const { writer, file } = testSink(t);
  await writer.open();
  writer.close();
  const database = new Database(file);
  const connection = new Kysely<SinkSchema>({ dialect: new SqliteDialect({ database }) });
  await connection.schema.dropTable('audit_nodes').execute();
  await connection.schema.dropTable('audit_checkpoints').execute();
  await connection.schema.dropTable('audit_cosignatures').execute();
  let head = genesisHead;
  for (let at = 0; at < 11; at++) {
    const row = appendToChain(head, auditEvent(`old ${at}`));
    head = row;
    const { id, atMs: at_ms, type, actor, subject, details } = row.event;
    const text = JSON.stringify(details);
    const columns = { id, at_ms, type, actor, subject, details: text, traceparent: null };
    const { sequence, hash } = row;
    await connection
      .insertInto('audit_log')
      .values({ sequence, ...columns, hash })
      .execute();
  }
  await createAuditTreeTables(connection as unknown as Kysely<unknown>);
  await connection.destroy();
  t.equal(toHex((await writer.auditLog.head()).root), rootOf(file));
  await writer.write([], [auditEvent('new')]);
  t.match(await writer.auditLog.head(), { size: 12, root: fromHex(rootOf(file)) });
});

t.test('a server whose nodes were taken away goes on, with a tree that tells of it', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write(
    [],
    Array.from({ length: 7 }, (_, at) => auditEvent(`${at}`)),
  );
  const before = await writer.auditLog.head();
  const database = new Database(file);
  database.exec('DELETE FROM audit_nodes; DELETE FROM audit_log WHERE sequence = 3');
  database.close();
  await writer.write([], [auditEvent('after')]);
  const after = await writer.auditLog.head();
  t.equal(after.size, 8);
  const proof = (await writer.auditLog.consistency(7, 8))!;
  t.notOk(verifyConsistency(before, after, proof, nodeSha256));
});

t.test('people get proofs that verify, with the witnesses of the checkpoint', async (t) => {
  const { writer, file } = testSink(t);
  const log = writer.auditLog;
  const heads = [];
  for (const count of [5, 1, 7]) {
    const records = heads.length === 0 ? [envoyRecord(1)] : [];
    const events = Array.from({ length: count }, (_, at) => auditEvent(`${heads.length} ${at}`));
    await writer.write(records, events);
    const head = await log.head();
    heads.push(head);
    await log.saveCheckpoint({ ...head, note: signCheckpoint(head, signer), atMs: heads.length });
  }
  const [older, , newer] = heads as [(typeof heads)[0], (typeof heads)[0], (typeof heads)[0]];
  const payload = new Uint8Array(72).fill(1);
  await log.saveCosignatures([{ size: 13, envoyId: envoyIdOf(1), payload }]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  const { auditTree } = queries;
  const view = auditTree.checkpoint(signer.publicKey);
  t.match(view, { size: 13, witnesses: [{ hostname: 'host-1' }], origin: /^vigo\.audit\// });
  t.equal(view.note.split('\n').length, 7, 'three lines, an empty one, two signatures');
  const { proof } = auditTree.consistency(5, 13);
  t.ok(verifyConsistency(older, newer, hashes(proof), nodeSha256));
  const shown = auditTree.inclusion(signer.publicKey, 4, 6);
  t.match(shown, { index: 3, size: 6, checkpoint: { size: 6, witnesses: [] } });
  const [row] = [...readAuditRows(file)].slice(3);
  const claim = { index: 3, leaf: entryHash(row!) };
  t.ok(verifyInclusion(claim, heads[1]!, hashes(shown.proof), nodeSha256));
  t.throws(() => auditTree.inclusion(signer.publicKey, 99), { code: 'AUDIT_NO_SUCH_ENTRY' });
  t.throws(() => auditTree.checkpoint(signer.publicKey, 4), { code: 'AUDIT_NO_CHECKPOINT' });
  t.throws(() => auditTree.consistency(5, 99), { code: 'AUDIT_BAD_REQUEST' });
});
