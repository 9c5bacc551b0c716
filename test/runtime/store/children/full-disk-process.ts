import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodePorts } from '../../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../../runtime/recovery.ts';
import { codeOf, put, testTable } from '../../../support/store-fixture.ts';

/** Fills the small disk that it is given, makes space, and tells what the store did meanwhile. */
const root = process.argv[2] ?? '';
const say = (line: string) => process.stdout.write(`${line}\n`);
const things = testTable();
const open = () => openLmdbStore({ directory: join(root, 'store'), ports: nodePorts() });
const { store } = await open();
writeFileSync(join(root, 'ballast'), Buffer.alloc(1024 * 1024, 1));
let stored = 0;
let code = 'none';
while (code === 'none' && stored < 5000) {
  code = await codeOf(store.transact([put(things, `k${stored}`, 'x'.repeat(2500))]).durable);
  if (code === 'none') stored += 1;
}
say(`refused ${code}`);
for (let n = 0; n < 5; n += 1) {
  say(`still ${await codeOf(store.transact([put(things, `l${n}`, 'x'.repeat(2500))]).committed)}`);
}
say(`read ${store.get(things, 'k0') === 'x'.repeat(2500) && store.count(things) === stored}`);
rmSync(join(root, 'ballast'));
const more = Array.from({ length: 100 }, (_, n) => put(things, `m${n}`, 'y'.repeat(2500)));
const again = await codeOf(store.transact(more).durable);
say(`again ${again === 'none' ? 'durable' : again}`);
const count = store.count(things);
await store.close();
rmSync(join(root, 'store', 'closed-cleanly'), { force: true });
const reopened = await open();
const rows = [...reopened.store.range(things, { limit: 100_000 })].length;
say(`whole ${reopened.recovery === undefined && rows === count && count === stored + 100}`);
await reopened.store.close();
