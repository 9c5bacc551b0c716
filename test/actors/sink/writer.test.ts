import { writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t from 'tap';
import { verifyChain } from '../../../actors/audit/chain.ts';
import { readAuditRows } from '../../../actors/sink/audit-rows.ts';
import { gapPatienceMs } from '../../../actors/sink/limits.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { sqlStatementCount } from '../../../actors/sink/statement-counter.ts';
import { SinkWriter } from '../../../actors/sink/writer.ts';
import { fc } from '../../support/property.ts';
import { startMs } from '../support/environment.ts';
import { auditEvent, envoyIdOf, envoyRecord, reportEntry, testSink } from '../support/sink.ts';

t.test('what was written is there after the process ended, with a whole chain', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write([envoyRecord(1)], [auditEvent('a'), auditEvent('b')]);
  const head = await writer.write([], [auditEvent('c')]);
  writer.close();
  const again = new SinkWriter({ file, runsPerEnvoy: 10 });
  t.teardown(() => again.close());
  t.same(await again.auditHead(), head);
  t.same(await verifyChain(readAuditRows(file)), head);
  t.equal((await again.identities('', 10))[0]?.hostname, 'host-1');
});

t.test('an audit event that is delivered twice is in the log once', async (t) => {
  const { writer } = testSink(t);
  await writer.write([], [auditEvent('a')]);
  const head = await writer.write([], [auditEvent('a'), auditEvent('b'), auditEvent('b')]);
  t.equal(head.sequence, 2);
});

t.test('a write that is refused in one part leaves nothing of its other parts', async (t) => {
  const { writer } = testSink(t);
  const used = { record: 'tokenUsed', id: 'none', envoyId: envoyIdOf(1), atMs: 1 } as const;
  await t.rejects(writer.write([envoyRecord(1), used], [auditEvent('a')]), {
    code: 'SINK_CONFLICT',
  });
  t.same(await writer.identities('', 10), []);
  t.equal((await writer.auditHead()).sequence, 0);
});

t.test('an identity is never overwritten', async (t) => {
  const { writer } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  await t.rejects(writer.write([envoyRecord(1, 'other')], []), { code: 'SINK_CONFLICT' });
});

t.test('entries that are drained again, in any cut, are stored exactly once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 20 }), { maxLength: 8 }), async (starts) => {
      const teardowns: (() => void)[] = [];
      const { writer, file } = testSink({ teardown: (run) => teardowns.push(run) });
      await writer.write([envoyRecord(1), envoyRecord(2)], []);
      const entries = Array.from({ length: 20 }, (_, index) =>
        reportEntry(index * 3 + 1, (index % 2) + 1, Math.floor(index / 2) + 1),
      );
      for (const start of starts) await writer.drain('shard-1', entries.slice(0, start));
      const last = await writer.drain('shard-1', entries);
      const queries = new SinkQueries(file);
      const runs = queries.runs({ limit: 100 }).items;
      queries.close();
      for (const teardown of teardowns.reverse()) teardown();
      return runs.length === 20 && last.sequence === 58;
    }),
    { numRuns: 15 },
  );
});

t.test('reports that come again under another store are not doubled', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  await writer.drain('shard-1', [reportEntry(1, 1, 1), reportEntry(2, 1, 2)]);
  const rebuilt = { storeId: 8 };
  const result = await writer.drain('shard-1', [
    reportEntry(1, 1, 1, rebuilt),
    reportEntry(2, 1, 2, rebuilt),
    reportEntry(3, 1, 3, rebuilt),
  ]);
  t.same(result.settled, [{ envoyId: envoyIdOf(1), reportSequence: 3 }]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  t.equal(queries.runs({ limit: 100 }).items.length, 3);
  t.equal(queries.run(queries.runs({ limit: 1 }).items[0]?.id ?? '')?.results.length, 2);
});

t.test('an agent keeps a report until every earlier one has arrived as well', async (t) => {
  const { writer } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  const late = await writer.drain('shard-2', [reportEntry(1, 1, 2, { storeId: 9 })]);
  t.equal(late.settled[0]?.reportSequence, 0, 'report 1 waits in another outbox');
  const both = await writer.drain('shard-1', [reportEntry(1, 1, 1)]);
  t.equal(both.settled[0]?.reportSequence, 2);
  const receivedAtMs = startMs + gapPatienceMs;
  await writer.drain('shard-1', [reportEntry(2, 1, 5)]);
  const patient = await writer.drain('shard-1', [reportEntry(3, 1, 6, { receivedAtMs })]);
  t.equal(patient.settled[0]?.reportSequence, 6, 'reports that never come are given up in the end');
});

t.test('old runs go, the newest stay', async (t) => {
  const { writer, file } = testSink(t, 5);
  await writer.write([envoyRecord(1), envoyRecord(2)], []);
  await writer.drain('s', [
    reportEntry(1, 2, 1),
    ...Array.from({ length: 30 }, (_, index) => reportEntry(index + 2, 1, index + 1)),
  ]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  const kept = queries.runs({ envoyId: envoyIdOf(1), limit: 100 }).items;
  t.same(
    kept.map((run) => run.reportSequence),
    [30, 29, 28, 27, 26],
  );
  t.equal(queries.runs({ envoyId: envoyIdOf(2), limit: 100 }).items.length, 1);
});

t.test('an entry that cannot be read is audited and holds nothing up', async (t) => {
  const { writer } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  const broken = reportEntry(1, 1, 1);
  const bad = { ...broken, event: { ...broken.event, body: { envoyId: 5 } } };
  const unknown = { ...broken, sequence: 2, event: { type: 'new', atMs: startMs, body: null } };
  const result = await writer.drain('s', [bad, unknown, reportEntry(3, 1, 1)]);
  t.equal(result.sequence, 3);
  t.equal(result.settled[0]?.reportSequence, 1);
  t.equal((await writer.auditHead()).sequence, 1, 'one entry, the second one is counted');
});

t.test('last seen never goes back', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  const seen = (sequence: number, lastSeenMs: number, state: number) => {
    const body = { envoyId: envoyIdOf(1), lastSeenMs, state, policyVersion: 1, agentVersion: 'x' };
    return { storeId: 7, sequence, event: { type: 'envoy.seen', atMs: 1, body } };
  };
  await writer.drain('s', [seen(1, 2000, 1)]);
  await writer.drain('s', [seen(2, 1000, 4)]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  const [envoy] = queries.findEnvoys('host-1');
  t.match(envoy, { state: 'converged', lastSeenMs: 2000, revoked: false });
});

t.test('who reports is heard of, and what was told before the report still counts', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  const body = { envoyId: envoyIdOf(1), state: 1, policyVersion: 1, agentVersion: 'x' };
  const seen = { type: 'envoy.seen', atMs: 1, body: { ...body, lastSeenMs: startMs } };
  await writer.drain('s', [
    { storeId: 7, sequence: 1, event: seen },
    reportEntry(2, 1, 1, { receivedAtMs: startMs + 5_000 }),
  ]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  const heard = { state: 'converged', lastSeenMs: startMs + 5_000 };
  t.match(queries.findEnvoys('host-1')[0], heard, 'a repair that changes no state is seen too');
});

t.test('migrations run once and leave the data alone', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write([envoyRecord(1)], [auditEvent('a')]);
  for (let round = 0; round < 3; round++) {
    const again = new SinkWriter({ file, runsPerEnvoy: 1 });
    await again.open();
    t.equal((await again.identities('', 10)).length, 1);
    again.close();
  }
});

t.test('a database of a newer version is left alone and named', async (t) => {
  const { writer, file } = testSink(t);
  await writer.open();
  writer.close();
  const raw = new Database(file);
  raw.exec("insert into kysely_migration values ('9999-future', '2040-01-01')");
  raw.close();
  const again = new SinkWriter({ file, runsPerEnvoy: 1 });
  await t.rejects(again.open(), { code: 'SINK_NEWER_SCHEMA', message: /9999-future/ });
});

t.test('a damaged database is named, and the writer goes on when it was restored', async (t) => {
  const { writer, file } = testSink(t);
  writeFileSync(file, 'this is not a database, it is a sentence of some length.'.repeat(99));
  await t.rejects(writer.write([], []), { code: 'SINK_CORRUPT' });
  await t.rejects(writer.write([], []), { code: 'SINK_CORRUPT' });
  writeFileSync(file, '');
  await writer.write([envoyRecord(1)], []);
});

t.test('a database that another program locks is named, and works again after it', async (t) => {
  const { writer, file } = testSink(t);
  await writer.open();
  const other = new Database(file);
  other.exec('BEGIN IMMEDIATE');
  await t.rejects(writer.write([envoyRecord(1)], []), { code: 'SINK_LOCKED' });
  other.exec('ROLLBACK');
  other.close();
  await writer.write([envoyRecord(1)], []);
});

t.test('every statement is counted', async (t) => {
  const { writer } = testSink(t);
  await writer.open();
  const before = sqlStatementCount();
  await writer.findToken('x');
  t.equal(sqlStatementCount(), before + 1);
});
