import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t from 'tap';
import { internalKeys, openEnvironment } from '../../../runtime/lmdb-environment.ts';
import { LmdbReader } from '../../../runtime/lmdb-reader.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { keptCorruptLimit, openLmdbStore } from '../../../runtime/recovery.ts';
import { fc } from '../../support/property.ts';
import { codeOf, put, remove, temporaryDirectory, testTable } from '../../support/store-fixture.ts';

const things = testTable();
const ports = nodePorts();

async function fillStore(directory: string): Promise<number> {
  const { store } = await openLmdbStore({ directory, ports });
  for (let round = 0; round < 3; round += 1) {
    const rows = Array.from({ length: 200 }, (_, n) =>
      put(things, `k${n * 7 + round}`, 'x'.repeat(n)),
    );
    await store.transact(rows).durable;
    await store.transact(rows.slice(0, 60).map(({ key }) => remove(things, key))).durable;
  }
  await store.close();
  return store.storeId;
}

function movedAside(directory: string): string[] {
  const prefix = `${basename(directory)}.corrupt-`;
  return readdirSync(dirname(directory)).filter((name) => name.startsWith(prefix));
}

t.test('damaged files never end the process and never lose a write that follows', async (t) => {
  const directory = temporaryDirectory();
  t.teardown(directory.remove);
  const storeId = await fillStore(directory.path);
  const whole = readFileSync(join(directory.path, 'data.mdb'));
  const pages = whole.byteLength / 4096;
  // Half of the damage goes to the heads of pages, where LMDB keeps what it trusts.
  const place = fc.oneof(
    fc.nat(whole.byteLength - 1),
    fc.tuple(fc.nat(pages - 1), fc.nat(60)).map(([page, offset]) => page * 4096 + offset),
  );
  const damage = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 6 });
  let copy = 0;
  let found = 0;
  await fc.assert(
    fc.asyncProperty(damage, async (bytes) => {
      copy += 1;
      const path = `${directory.path}-${copy}`;
      cpSync(directory.path, path, { recursive: true });
      const damaged = Buffer.from(whole);
      for (const [offset, value] of bytes) damaged[offset] = value;
      writeFileSync(join(path, 'data.mdb'), damaged);
      const { store, recovery } = await openLmdbStore({ directory: path, ports });
      if (recovery !== undefined) found += 1;
      if ((recovery === undefined) !== (store.storeId === storeId)) throw new Error('identity');
      for (const [, value] of store.range(things, { limit: 1000 })) {
        if (typeof value !== 'string') throw new Error('a value that nobody wrote');
      }
      await store.transact([put(things, 'after', 1)]).durable;
      if (store.get(things, 'after') !== 1) throw new Error('lost');
      await store.close();
    }),
    { numRuns: 12 },
  );
  t.ok(found > 0, `${found} of 12 damages were found`);
});

const ruins: Record<string, (path: string) => void> = {
  'cut to half': (path) =>
    truncateSync(path, Math.floor(readFileSync(path).byteLength / 8192) * 4096),
  'cut inside a page': (path) => truncateSync(path, 5000),
  emptied: (path) => truncateSync(path, 0),
  'noise instead of data': (path) => writeFileSync(path, Buffer.alloc(100_000, 'noise')),
  'a directory instead of a file': (path) => {
    rmSync(path);
    mkdirSync(path);
  },
};
for (const [name, ruin] of Object.entries(ruins)) {
  t.test(`a data file that is ${name}: moved aside, reported, replaced`, async (t) => {
    const directory = temporaryDirectory();
    t.teardown(directory.remove);
    const storeId = await fillStore(directory.path);
    ruin(join(directory.path, 'data.mdb'));
    const { store, created, recovery } = await openLmdbStore({ directory: directory.path, ports });
    t.equal(created, true);
    t.not(store.storeId, storeId, 'receivers can tell that sequences start anew');
    t.equal(store.count(things), 0);
    if (name !== 'emptied') {
      t.match(recovery, { reason: 'corrupted', detail: /./ });
      t.ok(existsSync(join(recovery?.movedTo ?? '', 'data.mdb')), 'kept for a look');
    }
    await store.transact([put(things, 'a', 1)]).durable;
    await store.close();
  });
}

t.test(
  'a store of a newer format is moved aside whole, and damaged ones are kept in a bounded number',
  async (t) => {
    const directory = temporaryDirectory();
    t.teardown(directory.remove);
    for (let round = 0; round < keptCorruptLimit + 2; round += 1) {
      await fillStore(directory.path);
      const environment = openEnvironment({ directory: directory.path, readOnly: false });
      await environment.put(internalKeys.format, Buffer.from('2'));
      await environment.close();
      const { store, recovery } = await openLmdbStore({ directory: directory.path, ports });
      t.match(recovery, { reason: 'format', detail: /format 2/ });
      await store.close();
    }
    t.equal(movedAside(directory.path).length, keptCorruptLimit);
  },
);

t.test('a store that was not closed is checked, and found whole', async (t) => {
  const directory = temporaryDirectory();
  t.teardown(directory.remove);
  const storeId = await fillStore(directory.path);
  rmSync(join(directory.path, 'closed-cleanly'));
  writeFileSync(join(directory.path, 'lock.mdb'), Buffer.alloc(8192, 0xff));
  const { store, recovery } = await openLmdbStore({ directory: directory.path, ports });
  t.equal(recovery, undefined, 'a ruined lock file is no damage');
  t.equal(store.storeId, storeId);
  await store.close();
});

t.test('a deleted store starts empty under its readers, who can tell', async (t) => {
  const directory = temporaryDirectory();
  t.teardown(directory.remove);
  await fillStore(directory.path);
  const first = await openLmdbStore({ directory: directory.path, ports });
  const reader = new LmdbReader(directory.path);
  t.equal(reader.isCurrent(), true);
  rmSync(directory.path, { recursive: true });
  const second = await openLmdbStore({ directory: directory.path, ports });
  t.equal(second.created, true);
  t.equal(reader.isCurrent(), false);
  await second.store.transact([put(things, 'new', 1)]).durable;
  const fresh = new LmdbReader(directory.path);
  t.equal(fresh.storeId, second.store.storeId);
  t.equal(fresh.get(things, 'new'), 1);
  reader.close();
  fresh.close();
  await first.store.close();
  await second.store.close();
});

t.test('where no store can be, the code says so', async (t) => {
  const directory = temporaryDirectory();
  t.teardown(directory.remove);
  writeFileSync(directory.path, 'a file');
  const open = () => openLmdbStore({ directory: directory.path, ports });
  t.equal(await codeOf(open()), 'RUNTIME_STORE_OPEN_FAILED');
  t.equal(await codeOf(() => new LmdbReader(directory.path)), 'RUNTIME_STORE_OPEN_FAILED');
});

t.test(
  'a file that this user may not read is moved aside as unreadable',
  {
    skip: process.geteuid?.() === 0 ? 'root reads everything' : false,
  },
  async (t) => {
    const directory = temporaryDirectory();
    t.teardown(directory.remove);
    await fillStore(directory.path);
    chmodSync(join(directory.path, 'data.mdb'), 0);
    const { store, recovery } = await openLmdbStore({ directory: directory.path, ports });
    t.match(recovery, { reason: 'unreadable' });
    await store.close();
  },
);

t.test('a probe that cannot start is no verdict: the state is kept', async (t) => {
  const directory = temporaryDirectory();
  t.teardown(directory.remove);
  await fillStore(directory.path);
  rmSync(join(directory.path, 'closed-cleanly'));
  const program = `
    import { openLmdbStore } from ${JSON.stringify(new URL('../../../runtime/recovery.ts', import.meta.url).href)};
    import { nodePorts } from ${JSON.stringify(new URL('../../../runtime/ports/node-ports.ts', import.meta.url).href)};
    process.execPath = '/nowhere/node';
    await openLmdbStore({ directory: process.argv[1], ports: nodePorts() }).catch((error) => console.log(error.code));`;
  const child = ['--input-type=module', '-e', program, directory.path];
  const { stdout } = spawnSync(process.execPath, child, { encoding: 'utf8' });
  t.equal(stdout.trim(), 'RUNTIME_STORE_OPEN_FAILED');
  t.strictSame(movedAside(directory.path), []);
});
