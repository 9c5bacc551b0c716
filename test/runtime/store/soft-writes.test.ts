import t, { type Test } from 'tap';
import { Committer } from '../../../runtime/committer.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../runtime/recovery.ts';
import { SoftWrites } from '../../../runtime/soft-writes.ts';
import type { Table } from '../../../runtime/store.ts';
import { Wheel } from '../../../runtime/wheel.ts';
import { put, temporaryDirectory, testTable } from '../../support/store-fixture.ts';

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
