import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Committer } from '../../../runtime/committer.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../runtime/recovery.ts';
import { noStoreFaults, openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import { SoftWrites } from '../../../runtime/soft-writes.ts';
import type { Table } from '../../../runtime/store.ts';
import { Wheel } from '../../../runtime/wheel.ts';
import { fc } from '../../support/property.ts';
import { ManualClock, put, temporaryDirectory, testTable } from '../../support/store-fixture.ts';

const things = testTable();
const counters: Table<{ count: number }> = {
  name: 'counters',
  codec: {
    encode: ({ count }) => Buffer.of(count),
    decode: (bytes) => ({ count: bytes[0] ?? 0 }),
  },
  rowLimit: 10,
};
const rows = 2_000;
const keyOf = (row: number) => `row ${row}`;

async function opened(t: Test) {
  const directory = temporaryDirectory();
  const ports = nodePorts();
  const { store } = await openLmdbStore({ directory: directory.path, ports });
  const wheel = new Wheel(ports.clock);
  t.teardown(async () => {
    wheel.stop();
    await store.close();
    directory.remove();
  });
  const committer = new Committer(store);
  const options = { flushMs: 60_000, lost: (error: unknown) => t.fail(String(error)) };
  return { store, committer, soft: new SoftWrites(store, committer, wheel, options) };
}

t.test('many rows reach the store, each as it was last', async (t) => {
  const { store, soft } = await opened(t);
  for (let row = 0; row < rows; row++) soft.put(things, keyOf(row), row);
  for (let row = 0; row < rows; row += 3) soft.put(things, keyOf(row), -row);
  await new Promise<void>((resolve) => soft.flush(() => resolve()));
  for (let row = 0; row < rows; row++) {
    const expected = row % 3 === 0 ? -row : row;
    if (store.get(things, keyOf(row)) !== expected) t.fail(keyOf(row));
  }
  t.equal(store.count(things), rows);
});

t.test('a write after a large flush is not undone by it', async (t) => {
  const { store, committer, soft } = await opened(t);
  for (let row = 0; row < rows; row++) soft.put(things, keyOf(row), 1);
  soft.flush();
  // The rows are on their way in many transactions; the newest of each row counts.
  await new Promise<void>((resolve, reject) => {
    const operations = [put(things, keyOf(rows - 1), 2)];
    const settled = (error: unknown) => (error === undefined ? resolve() : reject(error));
    committer.commit({ operations, settled, durable: undefined });
  });
  soft.put(things, keyOf(rows - 2), 3);
  await new Promise<void>((resolve) => soft.flush(() => resolve()));
  t.equal(store.get(things, keyOf(rows - 1)), 2);
  t.equal(store.get(things, keyOf(rows - 2)), 3);
  t.equal(soft.get(things, keyOf(rows - 2)), 3);
});

t.test(
  'an actor may keep one object and change it: the store gets what it was when it left',
  async (t) => {
    const { store, soft } = await opened(t);
    const kept = { count: 1 };
    soft.put(counters, 'a', kept);
    const read = soft.get(counters, 'a');
    kept.count = 2;
    t.same(read, { count: 1 }, 'a reader has an object of its own');
    await new Promise<void>((resolve) => soft.flush(() => resolve()));
    t.same(store.get(counters, 'a'), { count: 2 });
    kept.count = 3;
    soft.put(counters, 'a', kept);
    await new Promise<void>((resolve) => soft.flush(() => resolve()));
    t.same(store.get(counters, 'a'), { count: 3 });
  },
);

t.test(
  'a soft write whose row was to be overtaken by a refused hard one is not lost',
  async (t) => {
    const { store, soft, pass } = simulated();
    soft.put(things, 'pending', 1);
    const hard = [put(things, 'pending', 2)];
    soft.hold(hard);
    await pass(40);
    t.equal(store.get(things, 'pending'), undefined, 'it stays while the hard one is on its way');
    t.equal(soft.get(things, 'pending'), 1);
    soft.release(hard);
    await pass(40);
    t.equal(store.get(things, 'pending'), 1);
  },
);

t.test('a refused part that is tried again does not undo the hard write behind it', async (t) => {
  const { store, committer, soft, pass, lost } = simulated();
  soft.put(counters, 'overtaken', { count: 1 });
  for (let row = 0; row < counters.rowLimit; row++) soft.put(counters, keyOf(row), { count: 1 });
  committer.commit({ operations: [], durable: undefined, settled: () => undefined });
  await turn();
  soft.flush();
  const operations = [put(counters, 'overtaken', { count: 2 })];
  soft.hold(operations);
  let read: unknown;
  const settled = () => {
    soft.overtake(operations);
    read = soft.get(counters, 'overtaken');
  };
  committer.commit({ operations, durable: undefined, settled });
  await pass(60);
  t.same(read, { count: 2 }, 'nor does it hide it from who reads meanwhile');
  t.same(store.get(counters, 'overtaken'), { count: 2 });
  t.equal(store.count(counters), counters.rowLimit);
  t.equal(lost.length, 1, 'one row too many');
});

t.test('rows are forgotten when nobody writes them any more', async (t) => {
  const { soft, pass, store } = simulated();
  for (let row = 0; row < rows; row++) soft.put(things, keyOf(row), row);
  for (let flush = 0; flush < 700; flush += 1) {
    soft.put(things, 'a', flush);
    await pass(21);
  }
  t.equal(soft.remembered, 1);
  t.equal(store.count(things), rows + 1);
  soft.put(things, keyOf(7), -7);
  await pass(40);
  t.equal(store.get(things, keyOf(7)), -7);
});

/** Rows that leave by themselves, on a store that commits in 1 ms. */
function simulated() {
  const clock = new ManualClock();
  const { store } = openSimulatedStore({
    ...{ disk: new SimulatedStoreDisk(), faults: noStoreFaults(), commitMs: 1, flushMs: 2 },
    ports: { clock, random: nodePorts().random },
  });
  const committer = new Committer(store, { clock, gatherMs: 3 });
  const lost: unknown[] = [];
  const options = { flushMs: 20, lost: (error: unknown) => lost.push(error) };
  const soft = new SoftWrites(store, committer, new Wheel(clock), options);
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 1) {
      clock.advance(1);
      await turn();
    }
  };
  return { store, committer, soft, pass, lost };
}

t.test('what somebody waits for does not wait for all soft rows', async (t) => {
  const { committer, soft, pass, store } = simulated();
  for (let row = 0; row < rows; row++) soft.put(things, keyOf(row), row);
  await pass(200);
  t.equal(store.count(things), rows, 'all of them leave');
  for (let row = 0; row < rows; row++) soft.put(things, keyOf(row), -row);
  await pass(20);
  let softBefore = 0;
  const settled = () => {
    for (let row = 1; row < rows; row++)
      softBefore += store.get(things, keyOf(row)) === -row ? 1 : 0;
  };
  committer.commit({ operations: [put(things, 'hard', 1)], settled, durable: undefined });
  await pass(10);
  t.equal(store.get(things, 'hard'), 1);
  t.ok(softBefore > 0, 'they had begun to leave');
  t.ok(softBefore < rows / 2, `${softBefore} of ${rows} soft rows went first`);
});

t.test('a row is as it was written last, whatever is on its way meanwhile', async () => {
  const key = fc.integer({ min: 0, max: 600 });
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ step: fc.constant('soft' as const), key }) },
    { weight: 3, arbitrary: fc.record({ step: fc.constant('hard' as const), key }) },
    { weight: 3, arbitrary: fc.record({ step: fc.constant('pass' as const), key }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('all' as const), key }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('flush' as const), key }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { store, committer, soft, pass, lost } = simulated();
      const last = new Map<string, number>();
      const underWay = new Set<string>();
      let value = 0;
      const write = (row: string) => {
        value += 1;
        last.set(row, value);
        return value;
      };
      for (const one of steps) {
        const row = keyOf(one.key);
        if (one.step === 'pass') await pass(one.key % 25);
        if (one.step === 'flush') soft.flush();
        if (one.step === 'soft' && !underWay.has(row)) soft.put(things, row, write(row));
        if (one.step === 'all') {
          for (let at = 0; at < 600; at += 1) {
            if (!underWay.has(keyOf(at))) soft.put(things, keyOf(at), write(keyOf(at)));
          }
        }
        if (one.step !== 'hard' || underWay.has(row)) continue;
        // An actor does nothing else while its turn is being committed.
        underWay.add(row);
        const operations = [put(things, row, write(row))];
        soft.hold(operations);
        committer.commit({
          operations,
          durable: undefined,
          settled: () => {
            soft.overtake(operations);
            underWay.delete(row);
          },
        });
      }
      let isFlushed = false;
      soft.flush(() => {
        isFlushed = true;
      });
      await pass(40);
      const wrong = [...last].filter(([row, expected]) => store.get(things, row) !== expected);
      return isFlushed && underWay.size === 0 && wrong.length + lost.length === 0;
    }),
    { numRuns: 150 },
  );
});
