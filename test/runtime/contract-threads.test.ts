import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { RuntimeEvent } from '../../runtime/envelope.ts';
import { peerStores } from '../../runtime/peer-stores.ts';
import { nodeClock } from '../../runtime/ports/node-clock.ts';
import { startRuntime } from '../../runtime/runtime.ts';
import { testContract } from './contract.ts';
import type { World } from './fixtures/world.ts';

async function threadedWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-contract-'));
  const events: RuntimeEvent[] = [];
  const entry = (name: string) => new URL(`./fixtures/${name}.ts`, import.meta.url);
  const stores = peerStores(
    ['shard-0', 'shard-1'],
    (thread) => join(directory, thread),
    nodeClock(),
  );
  const runtime = await startRuntime({
    shards: 2,
    shardEntry: entry('fleet-entry'),
    serviceHosts: [{ name: 'service-0', entry: entry('shard-entry'), kinds: ['service-counter'] }],
    workerData: directory,
    stores,
    onEvent: (event) => events.push(event),
  });
  return {
    events,
    system: runtime.system,
    claim: async (shard, address) => {
      await runtime.system.request(shard, 'claim', address, 20_000);
    },
    release: async (shard, address) => {
      await runtime.system.request(shard, 'release', address, 20_000);
    },
    kill: (thread) => runtime.kill(thread),
    run: (promise) => promise,
    pass: (ms) => wait(ms),
    stop: async () => {
      await runtime.stop();
      for (const store of Object.values(stores)) store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

testContract('the contract on real threads', threadedWorld);
