import { nodePorts } from '../../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../../runtime/recovery.ts';
import { put, testTable } from '../../../support/store-fixture.ts';

/**
 * Writes rows for ever and says on stdout which are durable: `durable <from> <to>`. Two rows per
 * transaction, so that half of one would show.
 */
const directory = process.argv[2] ?? '';
const start = Number(process.argv[3] ?? 0);
const things = testTable();
const { store, recovery } = await openLmdbStore({ directory, ports: nodePorts() });
process.stdout.write(`open ${store.storeId} ${recovery?.reason ?? 'whole'}\n`);
for (let n = start; ; n += 8) {
  const writes = Array.from({ length: 8 }, (_, index) => {
    const key = String(n + index);
    return store.transact([
      put(things, `a${key}`, { n, padding: 'x'.repeat((n * 7) % 500) }),
      put(things, `b${key}`, n),
    ]);
  });
  try {
    for (const { durable } of writes) await durable;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    process.stdout.write(`refused ${code}\n`);
    const read = await Promise.resolve()
      .then(() => store.get(things, 'a0') !== undefined)
      .catch((cause: { code?: string }) => cause.code);
    process.stdout.write(`reading ${read}\n`);
    break;
  }
  process.stdout.write(`durable ${n} ${n + 7}\n`);
}
await store.close();
process.stdout.write('closed\n');
