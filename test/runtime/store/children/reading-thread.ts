import { parentPort, workerData } from 'node:worker_threads';
import { LmdbReader } from '../../../../runtime/lmdb-reader.ts';
import { testTable } from '../../../support/store-fixture.ts';

const things = testTable();
const reader = new LmdbReader(workerData.path);
parentPort?.on('message', () => {
  const rows = [...reader.range(things, { limit: 10_000 })].length;
  const n = reader.get(things, 'n');
  parentPort?.postMessage({ n, count: reader.count(things), rows, storeId: reader.storeId });
});
parentPort?.postMessage('ready');
