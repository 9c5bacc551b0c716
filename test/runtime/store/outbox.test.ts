import t from 'tap';
import { LmdbReader } from '../../../runtime/lmdb-reader.ts';
import { Outbox, OutboxReader } from '../../../runtime/outbox.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../runtime/recovery.ts';
import { noStoreFaults, openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import {
  codeOf,
  ManualClock,
  put,
  temporaryDirectory,
  testTable,
} from '../../support/store-fixture.ts';

const event = (n: number) => ({ type: 'tested', atMs: n, body: { n } });
const things = testTable();

t.test('events are read in order on the other side, and are gone after a trim', async (t) => {
  const directory = temporaryDirectory();
  const { store } = await openLmdbStore({ directory: directory.path, ports: nodePorts() });
  const outbox = await Outbox.open(store);
  const other = new LmdbReader(directory.path);
  const reader = new OutboxReader(other);
  t.teardown(async () => {
    other.close();
    await store.close();
    directory.remove();
  });
  for (let n = 0; n < 30; n += 3) {
    const events = [event(n), event(n + 1), event(n + 2)];
    await store.transact([put(things, 'last', n), ...outbox.outboxOperations(events)]).committed;
  }
  const seen: number[] = [];
  let after = 0;
  for (let batch = reader.read(after, 7); batch.length > 0; batch = reader.read(after, 7)) {
    for (const entry of batch) {
      t.ok(entry.sequence > after, 'sequences rise');
      t.equal(entry.storeId, store.storeId);
      after = entry.sequence;
      seen.push(entry.event.atMs);
    }
  }
  t.strictSame(
    seen,
    Array.from({ length: 30 }, (_, n) => n),
  );
  t.equal(await outbox.trim(after - 2), 28);
  t.strictSame(
    reader.read(0, 10).map((entry) => entry.event),
    [event(28), event(29)],
  );
  t.equal(reader.count(), 2);
});

t.test('a full outbox pushes back and takes events again after a trim', async (t) => {
  const ports = { clock: new ManualClock(), random: nodePorts().random };
  const { store } = openSimulatedStore({ disk: new SimulatedStoreDisk(), ports });
  const opening = Outbox.open(store, { entryLimit: 3 });
  ports.clock.advance(10);
  const outbox = await opening;
  store.transact(outbox.outboxOperations([event(1), event(2), event(3)]));
  ports.clock.advance(10);
  t.equal(await codeOf(() => outbox.outboxOperations([event(4)])), 'RUNTIME_OUTBOX_FULL');
  const trimming = outbox.trim(outbox.lastSequence - 1);
  ports.clock.advance(10);
  t.equal(await trimming, 2);
  t.equal(outbox.hasFewerThan(1), false);
  t.equal(outbox.hasFewerThan(2), true, 'it sees what was trimmed');
  t.equal(outbox.outboxOperations([event(4)]).length, 1);
});

t.test('no sequence is used twice, whatever a crash takes back', async (t) => {
  const ports = { clock: new ManualClock(), random: nodePorts().random };
  const disk = new SimulatedStoreDisk();
  const used = new Set<string>();
  let taken = 0;
  for (let round = 0; round < 12; round += 1) {
    const { store } = openSimulatedStore({ disk, ports, faults: noStoreFaults(), flushMs: 5 });
    const opening = Outbox.open(store, { reservedSequences: 8 });
    ports.clock.advance(10);
    const outbox = await opening;
    for (let n = 0; n < 20; n += 1) {
      try {
        store.transact(outbox.outboxOperations([event(n)]));
      } catch {
        t.pass('back-pressure while more sequences are being reserved');
      }
      ports.clock.advance(n % 3);
      await Promise.resolve();
      for (const { storeId, sequence } of new OutboxReader(store).read(0, 1000)) {
        used.add(`${storeId}/${sequence}`);
      }
    }
    taken += new OutboxReader(store).read(0, 1000).length;
    const before = outbox.lastSequence;
    store.crash();
    const again = openSimulatedStore({ disk, ports }).store;
    const reopening = Outbox.open(again, { reservedSequences: 8 });
    ports.clock.advance(10);
    const next = await reopening;
    const [first] = next.outboxOperations([event(0)]);
    if (Number(first?.key) <= before) t.fail(`${first?.key} after ${before}`);
    if (used.has(`${again.storeId}/${Number(first?.key)}`)) t.fail('used twice');
    const closing = again.close();
    ports.clock.advance(10);
    await closing;
  }
  t.ok(taken > 0);
});
