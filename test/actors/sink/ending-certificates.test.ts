/** What is lost when this fails: a machine whose certificate ends is not told of, or every machine is. */
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { readFleetRows } from '../../../actors/sink/doctor-queries.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { SinkWriter } from '../../../actors/sink/writer.ts';
import { envoyIdOf, envoyRecord, testSink } from '../support/sink.ts';

const day = 86_400_000;
const now = 1_800_000_000_000;

interface Case {
  readonly name: string;
  /** Days from now. */
  readonly issued: number;
  readonly ends: number;
  /** Days from now; undefined: never. */
  readonly seen: number | undefined;
}

async function fleetOf(t: Test, cases: readonly Case[]): Promise<string> {
  const { writer, file } = testSink(t);
  await writer.write(
    cases.map(({ name, issued, ends }, at) => ({
      ...envoyRecord(at, name),
      certificateIssuedMs: now + issued * day,
      certificateEndsMs: now + ends * day,
    })),
    [],
  );
  const database = new Database(file);
  const seenAt = database.prepare('update envoys set last_seen_ms = ? where hostname = ?');
  for (const { name, seen } of cases) {
    seenAt.run(seen === undefined ? null : now + seen * day, name);
  }
  database.close();
  return file;
}

function endingOf(t: Test, file: string) {
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  return { queries, found: queries.overview.endingCertificates(now) };
}

const names = ({ examples }: { examples: readonly { name: string }[] }) =>
  examples.map(({ name }) => name);

t.test(
  'a certificate is told of in the last fifth of its life, 30 days before at most',
  async (t) => {
    const file = await fleetOf(t, [
      { name: 'years', issued: -3620, ends: 29, seen: 0 },
      { name: 'years-early', issued: -3600, ends: 31, seen: 0 },
      { name: 'week', issued: -6, ends: 1, seen: -5 },
      { name: 'week-early', issued: -4, ends: 3, seen: 0 },
      { name: 'never-came', issued: -3640, ends: 5, seen: undefined },
    ]);
    const { ended, ending } = endingOf(t, file).found;
    t.same(names(ending), ['week', 'years']);
    t.match(ending, { count: 2, firstEndsMs: now + day });
    t.equal(ended.count, 0);
  },
);

t.test('one that has ended is told of until the envoy is revoked or renewed', async (t) => {
  const file = await fleetOf(t, [
    { name: 'lost', issued: -100, ends: -60, seen: -60.5 },
    { name: 'still-connected', issued: -10, ends: -1, seen: 0 },
    { name: 'gone-before', issued: -100, ends: -1, seen: -3 },
    { name: 'revoked', issued: -100, ends: -1, seen: -1 },
    { name: 'renewed', issued: -100, ends: -1, seen: 0 },
    { name: 'in-work', issued: -100, ends: -1, seen: -1 },
  ]);
  const { ended: before } = endingOf(t, file).found;
  t.equal(before.count, 5);
  const writer = new SinkWriter({ file, runsPerEnvoy: 1 });
  t.teardown(() => writer.close());
  const { identity, ...renewed } = envoyRecord(4, 'renewed');
  const maintenance = { sinceMs: now, reason: 'new disk', by: 'admin:ann' };
  await writer.write(
    [
      { record: 'envoyRevoked', envoyId: envoyIdOf(3), reason: 'gone', atMs: now },
      { ...renewed, ...identity, certificateEndsMs: now + 3650 * day, record: 'envoyRenewed' },
      { record: 'envoyMaintenance', envoyId: envoyIdOf(5), maintenance },
    ],
    [],
  );
  const { queries, found } = endingOf(t, file);
  t.same(names(found.ended), ['lost', 'still-connected']);
  t.match(found.ended, { count: 2, firstEndsMs: now - 60 * day });
  t.same(readFleetRows(file, now, day).certificates, found, 'the doctor says the same');
  const listed = queries.envoys.page({ sort: 'certificate', limit: 10 }).items;
  t.same(
    listed.map(({ hostname }) => hostname),
    ['lost', 'still-connected', 'gone-before', 'in-work', 'renewed', 'revoked'],
    'a list can be in their order, without the revoked',
  );
  t.equal(queries.findEnvoys('renewed')[0]?.certificateEndsMs, now + 3650 * day);
});

t.test('of an envoy that is older than the column nothing is claimed', async (t) => {
  const file = await fleetOf(t, [{ name: 'old', issued: -100, ends: -1, seen: 0 }]);
  const database = new Database(file);
  database.exec(`drop index envoys_certificate;
    alter table envoys drop column certificate_issued_ms;
    alter table envoys drop column certificate_ends_ms;
    delete from kysely_migration where name >= '0014'`);
  database.close();
  t.equal(
    readFleetRows(file, now, day).certificates.ended.count,
    0,
    'the doctor reads it as it is',
  );
  const writer = new SinkWriter({ file, runsPerEnvoy: 1 });
  t.teardown(() => writer.close());
  await writer.open();
  const { queries, found } = endingOf(t, file);
  t.equal(found.ended.count + found.ending.count, 0);
  t.equal(queries.findEnvoys('old')[0]?.certificateEndsMs, undefined);
});

t.test('nobody has to look at every envoy for it', async (t) => {
  const file = await fleetOf(t, [{ name: 'a', issued: -100, ends: 100, seen: 0 }]);
  const database = new Database(file, { readonly: true });
  t.teardown(() => database.close());
  const plans = database
    .prepare(
      `explain query plan select count(*) from envoys where revoked_at_ms is null
       and maintenance is null and certificate_ends_ms <= ?`,
    )
    .all(now) as { detail: string }[];
  t.match(plans, [{ detail: /SEARCH envoys USING INDEX envoys_certificate/ }]);
});
