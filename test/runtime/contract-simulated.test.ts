import type { RuntimeEvent } from '../../runtime/envelope.ts';
import { startSimulation } from '../../runtime/simulate/simulation.ts';
import { testContract } from './contract.ts';
import { contractKinds } from './fixtures/kinds.ts';
import type { World } from './fixtures/world.ts';

async function simulatedWorld(seed: number): Promise<World> {
  const events: RuntimeEvent[] = [];
  const simulation = await startSimulation({
    seed,
    shards: 2,
    serviceHosts: [{ name: 'service-0', kinds: ['service-counter'] }],
    kinds: contractKinds,
    softFlushMs: 20,
    threadOptions: () => ({ commitGatherMs: (seed - 1) * 5 }),
    onEvent: (event) => events.push(event),
  });
  const thread = (name: string) => {
    const system = simulation.thread(name);
    if (!system) throw new Error(`${name} is down`);
    return system;
  };
  return {
    events,
    system: simulation.system,
    claim: async (shard, address) => thread(shard).claim(address),
    release: async (shard, address) => thread(shard).release(address),
    kill: async (name) => simulation.kill(name),
    run: (promise) => simulation.until(promise),
    pass: (ms) => simulation.run(ms),
    stop: () => simulation.stop(),
  };
}

for (const seed of [1, 2, 3]) {
  testContract(`the contract in the simulator, seed ${seed}`, () => simulatedWorld(seed));
}
