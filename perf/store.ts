import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fixedLayoutCodec, msgpackCodec } from '../runtime/codecs.ts';
import { LmdbReader } from '../runtime/lmdb-reader.ts';
import type { LmdbStore } from '../runtime/lmdb-store.ts';
import { nodePorts } from '../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../runtime/recovery.ts';
import type { Commit, Table } from '../runtime/store.ts';

/**
 * The store's claims: single-row transactions per second (all durable at the end), reads per
 * second by the owner and through a reader, latency of one
 * lonely transaction, time to open 100,000 rows after a clean and after an unclean end.
 * Run: `node perf/store.ts` (`--json` for programs).
 */
const rowTotal = 100_000;
/** Transactions that wait for durable at once, as a busy shard's turns do. */
const windowSize = 2_000;

interface Hot {
  readonly seenMs: number;
  readonly policy: number;
}

const hotTable: Table<Hot> = {
  name: 'hot',
  rowLimit: 1_000_000,
  codec: fixedLayoutCodec<Hot>({
    bytes: 200,
    write(view, { seenMs, policy }) {
      view.setFloat64(0, seenMs);
      view.setUint32(8, policy);
    },
    read: (view) => ({ seenMs: view.getFloat64(0), policy: view.getUint32(8) }),
  }),
};
const packedTable: Table<Record<string, unknown>> = {
  name: 'packed',
  rowLimit: 1_000_000,
  codec: msgpackCodec<Record<string, unknown>>(),
};

const results: Record<string, number> = {};

function perSecond(name: string, count: number, run: () => void): void {
  const started = performance.now();
  run();
  results[name] = Math.round((count / (performance.now() - started)) * 1000);
}

async function putAll(name: string, put: (n: number) => Commit): Promise<void> {
  const started = performance.now();
  const cpuStarted = process.cpuUsage();
  for (let n = 0; n < rowTotal; n += windowSize) {
    let last: Commit | undefined;
    for (let index = n; index < n + windowSize; index += 1) last = put(index);
    await last?.durable;
  }
  const cpu = process.cpuUsage(cpuStarted);
  results[`${name} puts/s`] = Math.round((rowTotal / (performance.now() - started)) * 1000);
  results[`${name} put CPU us`] = Number(((cpu.user + cpu.system) / rowTotal).toFixed(2));
}

async function latency(store: LmdbStore): Promise<void> {
  const committed: number[] = [];
  const durable: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    const started = performance.now();
    const value = { seenMs: n, policy: n };
    const commit = store.transact([{ op: 'put', table: hotTable, key: `lonely${n}`, value }]);
    await commit.committed;
    committed.push(performance.now() - started);
    await commit.durable;
    durable.push(performance.now() - started);
  }
  const median = (list: number[]): number =>
    Number(list.sort((a, b) => a - b)[list.length >> 1]!.toFixed(3));
  results['lonely committed ms p50'] = median(committed);
  results['lonely durable ms p50'] = median(durable);
}

function readAll(store: LmdbStore, directory: string): void {
  const reader = new LmdbReader(directory);
  for (const [name, table] of Object.entries({ fixed: hotTable, msgpack: packedTable })) {
    perSecond(`${name} gets/s, owner`, rowTotal, () => {
      for (let n = 0; n < rowTotal; n += 1) store.get(table as Table<unknown>, `envoy-${n}`);
    });
    perSecond(`${name} gets/s, reader, each fresh`, rowTotal, () => {
      for (let n = 0; n < rowTotal; n += 1) reader.get(table as Table<unknown>, `envoy-${n}`);
    });
  }
  perSecond('rows/s in ranges of 1000', rowTotal, () => {
    let from = '';
    for (let n = 0; n < rowTotal; n += 1000) {
      const rows = [...store.range(packedTable, { from, limit: 1000 })];
      from = `${rows.at(-1)?.[0] ?? ''}\u0000`;
    }
  });
  reader.close();
}

async function openings(directory: string): Promise<void> {
  const open = async (): Promise<void> => {
    const { store } = await openLmdbStore({ directory, ports: nodePorts() });
    await store.close();
  };
  let started = performance.now();
  await open();
  results['open after clean close ms'] = Math.round(performance.now() - started);
  rmSync(join(directory, 'closed-cleanly'));
  started = performance.now();
  await open();
  results['open after unclean end ms (copy, child reads all)'] = Math.round(
    performance.now() - started,
  );
  results['file MiB'] = Math.round(statSync(join(directory, 'data.mdb')).size / 1024 / 1024);
}

const root = mkdtempSync(join(tmpdir(), 'vigo-perf-store-'));
try {
  const directory = join(root, 'store');
  const { store } = await openLmdbStore({ directory, ports: nodePorts() });
  await putAll('fixed 200 B', (n) => {
    const value = { seenMs: n, policy: n };
    return store.transact([{ op: 'put', table: hotTable, key: `envoy-${n}`, value }]);
  });
  await putAll('msgpack', (n) => {
    const value = { host: `web-${n}.example`, os: 'debian', cores: 8, addresses: ['10.0.0.1'] };
    return store.transact([{ op: 'put', table: packedTable, key: `envoy-${n}`, value }]);
  });
  readAll(store, directory);
  await latency(store);
  await store.close();
  await openings(directory);
} finally {
  rmSync(root, { recursive: true, force: true });
}
if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify(results)}\n`);
} else {
  process.stdout.write(
    `${rowTotal} rows, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}\n`,
  );
  for (const [name, value] of Object.entries(results)) {
    process.stdout.write(`${name.padEnd(52)} ${value.toLocaleString('en').padStart(10)}\n`);
  }
}
