import t from 'tap';
import { PeerStore } from '../../../runtime/peer-stores.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../runtime/recovery.ts';
import { put, temporaryDirectory, testTable } from '../../support/store-fixture.ts';

const table = testTable();

t.test('a reader that comes first does not make the store look damaged', async (t) => {
  const directory = temporaryDirectory();
  t.teardown(directory.remove);
  const ports = nodePorts();
  const options = { directory: directory.path, ports };
  const first = (await openLmdbStore(options)).store;
  await first.transact([put(table, 'kept', 1)]).durable;
  await first.close();

  const early = new PeerStore(directory.path, ports.clock);
  t.teardown(() => early.close());
  t.equal(early.isOpen, false, 'it waits for the owner');
  t.equal(early.get(table, 'kept'), undefined);

  const again = await openLmdbStore(options);
  t.teardown(() => again.store.close());
  t.equal(again.recovery, undefined);
  t.equal(again.store.get(table, 'kept'), 1);
  t.equal(early.isOpen, true);
  t.equal(early.get(table, 'kept'), 1);
});

t.test('a mark that another process left behind is no mark', async (t) => {
  const directory = temporaryDirectory();
  t.teardown(directory.remove);
  const code = `
    import { openLmdbStore } from '${new URL('../../../runtime/recovery.ts', import.meta.url)}';
    import { nodePorts } from '${new URL('../../../runtime/ports/node-ports.ts', import.meta.url)}';
    await openLmdbStore({ directory: ${JSON.stringify(directory.path)}, ports: nodePorts() });
    process.kill(process.pid, 'SIGKILL');`;
  const { spawnSync } = await import('node:child_process');
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code]);
  t.equal(child.signal, 'SIGKILL');
  const ports = nodePorts();
  const early = new PeerStore(directory.path, ports.clock);
  t.teardown(() => early.close());
  t.equal(early.isOpen, false);
});
