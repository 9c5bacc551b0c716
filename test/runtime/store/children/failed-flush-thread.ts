import { LmdbReader } from '../../../../runtime/lmdb-reader.ts';
import { nodePorts } from '../../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../../runtime/recovery.ts';
import { codeOf, put, testTable } from '../../../support/store-fixture.ts';

/**
 * One flush of this process fails (injected). Then a new owner opens the store in the same process,
 * while a reader still has the failed environment open.
 */
const directory = process.argv[2] ?? '';
const say = (line: string) => process.stdout.write(`${line}\n`);
const things = testTable();
const open = () => openLmdbStore({ directory, ports: nodePorts() });
const first = await open();
await first.store.transact([put(things, 'durable', 1)]).durable;
const reader = new LmdbReader(directory);
let n = 0;
let code = 'none';
while (code === 'none' && n < 50) {
  n += 1;
  code = await codeOf(first.store.transact([put(things, 'n', n)]).durable);
}
say(`failed ${code}`);
await first.store.close();
const second = await open();
say(`again ${second.recovery?.reason ?? 'whole'} ${second.store.storeId === first.store.storeId}`);
say(`kept ${second.store.get(things, 'durable')} ${second.store.get(things, 'n') === n - 1}`);
say(`writes ${await codeOf(second.store.transact([put(things, 'n', 'new')]).durable)}`);
say(`reader current ${reader.isCurrent()}`);
reader.close();
const fresh = new LmdbReader(directory);
say(`reads ${fresh.get(things, 'n')}`);
fresh.close();
await second.store.close();
// lmdb-js 3.5.6 hangs in its exit hook when a failed environment is still open.
process.stdout.write('', () => process.kill(process.pid, 'SIGKILL'));
