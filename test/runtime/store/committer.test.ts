import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { batchOperationLimit, Committer } from '../../../runtime/committer.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { noStoreFaults, openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import type { Operation, Store } from '../../../runtime/store.ts';
import { ManualClock, put, testTable } from '../../support/store-fixture.ts';

const things = testTable();
const gatherMs = 10;

/** A committer on a store that commits in 1 ms, and the sizes of the transactions that it began. */
function gathering() {
  const clock = new ManualClock();
  const { store } = openSimulatedStore({
    ...{ disk: new SimulatedStoreDisk(), faults: noStoreFaults(), commitMs: 1, flushMs: 2 },
    ports: { clock, random: nodePorts().random },
  });
  const transactions: number[] = [];
  const watched = new Proxy(store as Store, {
    get: (target, name) => {
      if (name !== 'transact') return Reflect.get(target, name);
      return (operations: readonly Operation[]) => {
        transactions.push(operations.length);
        return store.transact(operations);
      };
    },
  });
  const committer = new Committer(watched, { clock, gatherMs });
  const commit = (key: string, operations = [put(things, key, 1)]) =>
    committer.commit({ operations, settled: () => undefined, durable: undefined });
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 1) {
      clock.advance(1);
      await turn();
    }
  };
  return { committer, commit, pass, transactions, store };
}

t.test('a commit that comes alone does not wait', async (t) => {
  const { commit, pass, transactions } = gathering();
  commit('a');
  await turn();
  t.strictSame(transactions, [1]);
  await pass(gatherMs);
  commit('b');
  await turn();
  t.strictSame(transactions, [1, 1]);
});

t.test('commits that come soon after another share a transaction', async (t) => {
  const { commit, pass, transactions, store } = gathering();
  commit('a');
  await pass(3);
  for (const key of ['b', 'c', 'd']) {
    commit(key);
    await pass(2);
  }
  t.strictSame(transactions, [1]);
  await pass(3);
  t.strictSame(transactions, [1, 3]);
  t.equal(store.count(things), 4);
});

t.test('who is to be followed by many waits for no company, and takes others along', async (t) => {
  const { committer, commit, pass, transactions } = gathering();
  commit('a');
  await pass(2);
  commit('b');
  await pass(1);
  const settled = () => undefined;
  committer.commit({
    operations: [put(things, 'c', 1)],
    settled,
    durable: undefined,
    isPrompt: true,
  });
  await pass(2);
  t.strictSame(transactions, [1, 2]);
});

t.test('a full transaction waits for nobody', async (t) => {
  const { commit, pass, transactions } = gathering();
  commit('a');
  await pass(3);
  commit('b');
  await pass(1);
  const many = Array.from({ length: batchOperationLimit }, (_, at) => put(things, `m${at}`, 1));
  commit('many', many);
  await pass(3);
  t.strictSame(transactions, [1, 1, batchOperationLimit]);
});

t.test('who stops the thread waits for no company', async (t) => {
  const { committer, commit, pass, transactions } = gathering();
  commit('a');
  await pass(2);
  commit('b');
  await pass(1);
  const done = committer.allCommitted();
  await pass(2);
  await done;
  t.strictSame(transactions, [1, 1]);
});
