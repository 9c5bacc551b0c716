import t, { type Test } from 'tap';
import { type Environment, openEnvironment } from '../../../runtime/lmdb-environment.ts';
import { LmdbStore } from '../../../runtime/lmdb-store.ts';
import {
  codeOf,
  ManualClock,
  put,
  temporaryDirectory,
  testTable,
} from '../../support/store-fixture.ts';

const things = testTable();
/** MDB_BAD_TXN as lmdb-js 3.5.6 gives it, and any other refusal. */
const aborted = -30782;
const corrupted = -30796;

function refusal(code: number): Promise<never> {
  const cause = Object.assign(new Error('reserved freelist had a data entry'), { code });
  const commitError = Promise.reject(cause);
  commitError.catch(() => undefined);
  return Promise.reject(Object.assign(new Error('Commit failed'), { commitError }));
}

/** A store whose next transactions liblmdb refuses with these codes before it writes anything. */
async function refusing(t: Test, codes: number[]) {
  const { path, remove } = temporaryDirectory();
  const environment = openEnvironment({ directory: path, readOnly: false });
  const faulty = new Proxy(environment, {
    get(target, name) {
      if (name === 'batch' && codes.length > 0) return () => refusal(codes.shift() ?? 0);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as Environment;
  const clock = new ManualClock();
  const onClosed = () => Promise.resolve();
  const limits = { mapLimitBytes: 1024 * 1024 * 1024, storeId: 1 };
  const store = new LmdbStore({ environment: faulty, directory: path, clock, onClosed, ...limits });
  t.teardown(async () => {
    clearInterval(timer);
    await store.close();
    remove();
  });
  const timer = setInterval(() => clock.advance(5), 1);
  return store;
}

t.test('a transaction that LMDB aborted is tried again, and keeps its place', async (t) => {
  const codes = [aborted, aborted, aborted];
  const store = await refusing(t, codes);
  const first = store.transact([put(things, 'a', 1), put(things, 'b', 1)]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const second = store.transact([put(things, 'a', 2)]);
  t.strictSame(await first.durable, { promise: 'durable', sequence: 1 });
  await second.durable;
  t.equal(codes.length, 0);
  t.equal(store.get(things, 'a'), 2);
  t.equal(store.get(things, 'b'), 1);
  t.equal(store.count(things), 2, 'each row is counted once');
  t.equal(store.failure, undefined);
});

t.test('one that is aborted again and again fails the store, like other refusals', async (t) => {
  for (const codes of [Array.from({ length: 5 }, () => aborted), [corrupted]]) {
    const store = await refusing(t, codes);
    const commit = store.transact([put(things, 'a', 1)]);
    t.equal(await codeOf(commit.committed), 'RUNTIME_STORE_FAILED');
    t.equal(codes.length, 0);
    t.match(store.failure?.message, 'reserved freelist');
  }
});
