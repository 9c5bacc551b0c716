import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { bytesCodec, fixedLayoutCodec } from '../../../runtime/codecs.ts';
import { LmdbReader } from '../../../runtime/lmdb-reader.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../runtime/recovery.ts';
import type { Table } from '../../../runtime/store.ts';
import { codeOf, put, remove, temporaryDirectory, testTable } from '../../support/store-fixture.ts';

async function openTemporary(
  t: { teardown(run: () => Promise<void>): void },
  options: { mapLimitBytes?: number; readerSlots?: number } = {},
) {
  const directory = temporaryDirectory();
  const opened = await openLmdbStore({ directory: directory.path, ports: nodePorts(), ...options });
  t.teardown(async () => {
    await opened.store.close();
    directory.remove();
  });
  return { ...opened, path: directory.path };
}

t.test('what was stored is there after a restart, with the same identity', async (t) => {
  const things = testTable();
  const { store, created, path } = await openTemporary(t);
  t.equal(created, true);
  const commit = store.transact([put(things, 'a', { n: 1 }), put(things, 'b', [2, 'two'])]);
  t.strictSame(await commit.committed, { promise: 'committed', sequence: 1 });
  t.strictSame(await commit.durable, { promise: 'durable', sequence: 1 });
  await store.close();
  const again = await openLmdbStore({ directory: path, ports: nodePorts() });
  t.equal(again.created, false);
  t.equal(again.recovery, undefined);
  t.equal(again.store.storeId, store.storeId);
  t.strictSame(again.store.get(things, 'a'), { n: 1 });
  t.strictSame(
    [...again.store.range(things, { limit: 9 })],
    [
      ['a', { n: 1 }],
      ['b', [2, 'two']],
    ],
  );
  await again.store.close();
});

t.test('a value may be reused by its caller as soon as the call returns', async (t) => {
  const { store } = await openTemporary(t);
  const counters: Table<number> = {
    name: 'counters',
    rowLimit: 10,
    codec: fixedLayoutCodec<number>({
      bytes: 8,
      write: (view, value) => view.setFloat64(0, value, true),
      read: (view) => view.getFloat64(0, true),
    }),
  };
  const blobs: Table<Uint8Array> = { name: 'blobs', codec: bytesCodec, rowLimit: 10 };
  const bytes = new Uint8Array([1, 2, 3]);
  const first = store.transact([
    { op: 'put', table: counters, key: 'x', value: 1 },
    { op: 'put', table: counters, key: 'y', value: 2 },
    { op: 'put', table: blobs, key: 'b', value: bytes },
  ]);
  bytes.fill(9);
  await first.committed;
  t.equal(store.get(counters, 'x'), 1);
  t.equal(store.get(counters, 'y'), 2);
  const kept = store.get(blobs, 'b');
  store.get(counters, 'x');
  t.strictSame([...(kept ?? [])], [1, 2, 3], 'later reads do not overwrite a value in hand');
});

t.test('a full table refuses one more row, and still takes changes of its rows', async (t) => {
  const { store } = await openTemporary(t);
  const small = testTable('small', 2);
  await store.transact([put(small, 'a', 1), put(small, 'b', 1)]).committed;
  const [refused, mixed, changed] = [
    store.transact([put(small, 'c', 1)]),
    store.transact([remove(small, 'a'), put(small, 'd', 1), put(small, 'e', 1)]),
    store.transact([put(small, 'a', 2)]),
  ];
  t.equal(await codeOf(refused.durable), 'RUNTIME_STORE_TABLE_FULL');
  t.equal(await codeOf(mixed.committed), 'RUNTIME_STORE_TABLE_FULL', 'all or nothing');
  await changed.durable;
  t.equal(store.get(small, 'a'), 2);
  t.equal(store.count(small), 2);
  await store.transact([remove(small, 'a'), put(small, 'c', 3)]).durable;
  t.strictSame(
    [...store.range(small, { limit: 9 })].map(([key]) => key),
    ['b', 'c'],
  );
});

t.test('keys and values that cannot be stored are refused by code', async (t) => {
  const { store } = await openTemporary(t);
  const things = testTable();
  const refusal = (key: string, value: unknown) =>
    codeOf(store.transact([put(things, key, value)]).committed);
  t.equal(await refusal('k'.repeat(512), 1), 'RUNTIME_STORE_KEY');
  t.equal(await refusal('ä'.repeat(256), 1), 'RUNTIME_STORE_KEY');
  t.equal(await refusal('\ud800', 1), 'RUNTIME_STORE_KEY');
  t.equal(await refusal('big', 'x'.repeat(9 * 1024 * 1024)), 'RUNTIME_STORE_VALUE');
  t.equal(await codeOf(() => store.get(testTable('Bad name'), 'k')), 'RUNTIME_STORE_KEY');
  t.equal(await refusal(`${'ä'.repeat(255)}k`, 1), 'none', '511 bytes are fine');
  t.equal(await refusal('', 1), 'none', 'and so is the empty key');
  t.equal(store.get(things, ''), 1);
});

t.test('a full map refuses puts by code, and removing rows makes room again', async (t) => {
  const { store } = await openTemporary(t, { mapLimitBytes: 2 * 1024 * 1024 });
  const things = testTable();
  let stored = 0;
  let code = 'none';
  while (code === 'none' && stored < 5000) {
    code = await codeOf(store.transact([put(things, `k${stored}`, 'x'.repeat(3000))]).committed);
    if (code === 'none') stored += 1;
  }
  t.equal(code, 'RUNTIME_STORE_MAP_FULL');
  t.ok(stored > 100, `${stored} rows fit`);
  t.equal(store.get(things, 'k0'), 'x'.repeat(3000), 'reading goes on');
  const keys = Array.from({ length: stored - 10 }, (_, index) => `k${index}`);
  await store.transact(keys.map((key) => remove(things, key))).durable;
  t.equal(await codeOf(store.transact([put(things, 'new', 'x'.repeat(3000))]).durable), 'none');
});

t.test('the map grows by itself far beyond its first size', async (t) => {
  const { store } = await openTemporary(t);
  const things = testTable();
  const value = new Uint8Array(4 * 1024 * 1024).fill(7);
  for (let index = 0; index < 20; index += 1) {
    await store.transact([put(things, `k${index}`, value)]).committed;
  }
  t.equal(store.count(things), 20);
  t.strictSame(store.get(things, 'k19'), value);
});

t.test('readers without a free slot get a code, and the owner is not disturbed', async (t) => {
  const { store, path } = await openTemporary(t, { readerSlots: 3 });
  const things = testTable();
  await store.transact([put(things, 'a', 1)]).committed;
  t.equal(store.get(things, 'a'), 1);
  const readers: LmdbReader[] = [];
  let code = 'none';
  for (let index = 0; index < 8 && code === 'none'; index += 1) {
    code = await codeOf(() => {
      const reader = new LmdbReader(path);
      readers.push(reader);
      reader.get(things, 'a');
    });
  }
  t.equal(code, 'RUNTIME_STORE_READERS_FULL');
  t.equal(store.get(things, 'a'), 1);
  await store.transact([put(things, 'a', 2)]).durable;
  for (const reader of readers.splice(0, 2)) reader.close();
  const free = new LmdbReader(path);
  t.equal(free.get(things, 'a'), 2, 'a closed reader gives its slot back');
  for (const reader of [free, ...readers]) reader.close();
});

t.test('another thread sees every commit as soon as it is committed', async (t) => {
  const { store, path } = await openTemporary(t);
  const things = testTable();
  await store.transact([put(things, 'n', -1)]).committed;
  const worker = new Worker(new URL('./children/reading-thread.ts', import.meta.url), {
    workerData: { path },
  });
  await once(worker, 'message');
  for (let n = 0; n < 200; n += 1) {
    await store.transact([put(things, 'n', n), put(things, `row${n}`, n)]).committed;
    worker.postMessage('look');
    const [seen] = await once(worker, 'message');
    const expected = { n, count: n + 2, rows: n + 2, storeId: store.storeId };
    if (!isDeepStrictEqual(seen, expected)) t.strictSame(seen, expected);
  }
  await worker.terminate();
  await store.transact([put(things, 'n', 'after the reader died')]).durable;
  t.equal(store.get(things, 'n'), 'after the reader died');
});

t.test('after close everything accepted is stored and later calls are refused', async (t) => {
  const { store, path } = await openTemporary(t);
  const things = testTable();
  const commits = Array.from({ length: 50 }, (_, n) => store.transact([put(things, `k${n}`, n)]));
  const closed = store.close();
  t.equal(await codeOf(store.transact([put(things, 'late', 1)]).durable), 'RUNTIME_STORE_CLOSED');
  t.equal(await codeOf(() => store.get(things, 'k1')), 'RUNTIME_STORE_CLOSED');
  await closed;
  for (const { durable } of commits) await durable;
  const again = await openLmdbStore({ directory: path, ports: nodePorts() });
  t.equal(again.store.count(things), 50);
  await again.store.close();
});
