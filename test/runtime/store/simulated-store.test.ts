import t from 'tap';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { noStoreFaults, openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import { codeOf, ManualClock, put, testTable } from '../../support/store-fixture.ts';

const things = testTable();

function simulation() {
  const clock = new ManualClock();
  const disk = new SimulatedStoreDisk();
  const faults = noStoreFaults();
  const ports = { clock, random: nodePorts().random };
  const open = () => openSimulatedStore({ disk, ports, faults, commitMs: 1, flushMs: 10 });
  return { clock, faults, open };
}

t.test('a crash between committed and durable takes the write back', async (t) => {
  const { clock, open } = simulation();
  const { store, created } = open();
  t.equal(created, true);
  store.transact([put(things, 'kept', 1)]);
  clock.advance(11);
  const commit = store.transact([put(things, 'lost', 1), put(things, 'kept', 2)]);
  let durable = false;
  commit.durable.then(() => {
    durable = true;
  });
  clock.advance(1);
  await commit.committed;
  t.equal(store.get(things, 'lost'), 1);
  store.crash();
  clock.advance(100);
  await Promise.resolve();
  t.equal(durable, false, 'nobody is told that it survived');
  const again = open();
  t.equal(again.created, false);
  t.equal(again.store.storeId, store.storeId);
  t.strictSame([...again.store.range(things, { limit: 9 })], [['kept', 1]]);
  t.equal(await codeOf(() => store.get(things, 'kept')), 'RUNTIME_STORE_CLOSED');
});

t.test('each fault has the code of the real store', async (t) => {
  const { clock, faults, open } = simulation();
  const { store, recovery } = open();
  t.equal(recovery, undefined);
  const write = async (value: unknown) => {
    const commit = store.transact([put(things, 'k', value)]);
    clock.advance(20);
    return codeOf(commit.durable);
  };
  faults.refuseNth = 2;
  t.strictSame(
    [await write(1), await write(2), await write(3)],
    ['none', 'RUNTIME_STORE_DISK_FULL', 'none'],
  );
  faults.mapLimitBytes = 100;
  t.equal(await write('x'.repeat(200)), 'RUNTIME_STORE_MAP_FULL');
  faults.readersFull = true;
  t.equal(await codeOf(() => store.get(things, 'k')), 'RUNTIME_STORE_READERS_FULL');
  faults.readersFull = false;
  t.equal(store.get(things, 'k'), 3);
  faults.failNthFlush = 1;
  let told = '';
  store.onFailure((failure) => {
    told = failure.code;
  });
  t.equal(await write(4), 'RUNTIME_STORE_FAILED');
  t.equal(told, 'RUNTIME_STORE_FAILED');
  t.equal(await codeOf(() => store.get(things, 'k')), 'RUNTIME_STORE_FAILED');
  t.equal(open().store.get(things, 'k'), 3, 'a restart has the last durable state');
  faults.corruptAtOpen = true;
  const rebuilt = open();
  t.match(rebuilt, { created: true, recovery: { reason: 'corrupted' } });
  t.not(rebuilt.store.storeId, store.storeId);
});
