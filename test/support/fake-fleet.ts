/** A thread with a server that knows a few names, one of them hostile. Says its options; "silent" makes it mute. */
import { parentPort } from 'node:worker_threads';
import { FakeApi } from './fake-api.ts';

const hostile = ['$(touch hacked)', '`touch hacked`', 'a;touch hacked', '-rf', "x'y", 'a b'];
const items: Readonly<Record<string, readonly object[]>> = {
  '/api/v1/envoys': ['web-1', 'web-2', 'db-1', ...hostile].map((hostname) => ({ hostname })),
  '/api/v1/tokens': [{ id: 'c0f8681a8f027e67' }],
  '/api/v1/config/history': [{ version: 7 }, { version: 6 }],
};

const api = await FakeApi.open();
api.answer = (_method, path) => {
  const found = items[path.replace(/\?.*/, '')] ?? [];
  return { status: 200, body: JSON.stringify({ items: found, next: null }) };
};
parentPort?.on('message', (order: string) => {
  if (order === 'silent') api.answer = () => undefined;
  if (order !== 'end') return;
  api.close();
  parentPort?.close();
});
parentPort?.postMessage(api.flags);
