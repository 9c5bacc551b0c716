import t from 'tap';
import { type Simulation, startSimulation } from '../../runtime/simulate/simulation.ts';
import { fc } from '../support/property.ts';
import {
  type CounterRow,
  contractKinds,
  countersTable,
  fleetCounterAddress,
  serviceCounterAddress,
} from './fixtures/kinds.ts';
import { codeOf } from './fixtures/world.ts';

const deadline = { deadlineMs: 20_000 };

function simulate(seed: number, commitGatherMs = seed % 2 === 0 ? 0 : 5): Promise<Simulation> {
  return startSimulation({
    seed,
    shards: 2,
    serviceHosts: [{ name: 'service-0', kinds: ['service-counter'] }],
    kinds: contractKinds,
    softFlushMs: 20,
    threadOptions: () => ({ commitGatherMs }),
  });
}

t.test('whichever store call fails, a turn is stored whole or refused whole', async (t) => {
  let refused = 0;
  for (let nth = 1; nth <= 25; nth += 1) {
    const simulation = await simulate(nth);
    const service = serviceCounterAddress('a');
    const other = serviceCounterAddress('b');
    const { system } = simulation;
    simulation.faults('service-0').refuseNth = nth;
    let acknowledged = 0;
    for (let turn = 0; turn < 20; turn += 1) {
      const asks = [
        system.ask(service, 'addDurable', 1, deadline),
        ...(turn % 3 === 0 ? [system.ask(other, 'add', 1, deadline)] : []),
      ];
      const codes = await simulation.until(Promise.all(asks.map(codeOf)));
      if (codes[0] === 'resolved') acknowledged += 1;
      for (const code of codes) {
        if (code === 'RUNTIME_COMMIT_FAILED') refused += 1;
        else if (code !== 'resolved') t.fail(`${nth}: ${code}`);
      }
    }
    const stored = simulation.reader('service-0').get(countersTable, 'a');
    const seen = await simulation.until(system.ask(service, 'read', undefined, deadline));
    if (stored?.value !== acknowledged || seen.value !== acknowledged) {
      t.fail(`${nth}: ${acknowledged} acknowledged, ${stored?.value} stored, ${seen.value} seen`);
    }
    await simulation.stop();
  }
  t.ok(refused > 0, `${refused} turns were refused`);
});

t.test('what was acknowledged as durable survives power loss, mail included', async (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const simulation = await simulate(seed);
    const service = serviceCounterAddress('a');
    const fleet = fleetCounterAddress('a');
    let acknowledged = 0;
    for (let round = 0; round < 4; round += 1) {
      for (let turn = 0; turn < 5; turn += 1) {
        simulation.system.ask(service, 'addDurable', 1, deadline).then(
          () => {
            acknowledged += 1;
          },
          () => undefined,
        );
        await simulation.run(simulation.random.fraction() * 4);
      }
      const before = acknowledged;
      await simulation.powerLoss();
      const row = await simulation.until(
        simulation.system.ask(service, 'read', undefined, deadline),
      );
      if (row.value < before) t.fail(`seed ${seed}: ${before} acknowledged, ${row.value} kept`);
      acknowledged = row.value;
    }
    const post = simulation.system.ask(service, 'post', { to: fleet, text: 'kept' }, deadline);
    await simulation.until(post);
    await simulation.run(100);
    await simulation.powerLoss();
    await simulation.until(simulation.thread('shard-1')?.claim(fleet) ?? Promise.reject());
    await simulation.run(200_000);
    const { notes } = await simulation.until(
      simulation.system.ask(fleet, 'read', undefined, deadline),
    );
    t.same(notes, ['kept']);
    await simulation.stop();
  }
});

t.test('each sender is heard in its order, whatever the delays and the claims', async () => {
  const plan = fc.array(
    fc.record({ sender: fc.integer({ min: 0, max: 2 }), wait: fc.integer({ min: 0, max: 3 }) }),
    { minLength: 1, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer(), plan, async (seed, steps) => {
      const simulation = await simulate(seed);
      const fleet = fleetCounterAddress('a');
      await simulation.until(simulation.thread('shard-0')?.claim(fleet) ?? Promise.reject());
      const senders = [
        simulation.system,
        simulation.thread('shard-1'),
        simulation.thread('shard-0'),
      ];
      for (const [index, { sender, wait }] of steps.entries()) {
        senders[sender]?.tell(fleet, 'note', `${sender}:${index}`);
        if (wait > 0) await simulation.run(wait);
      }
      await simulation.run(100);
      const row: CounterRow = await simulation.until(
        simulation.system.ask(fleet, 'read', undefined, deadline),
      );
      for (const sender of [0, 1, 2]) {
        const heard = row.notes.filter((note) => note.startsWith(`${sender}:`));
        const sent = steps.flatMap((s, index) =>
          s.sender === sender ? [`${sender}:${index}`] : [],
        );
        if (JSON.stringify(heard) !== JSON.stringify(sent)) throw new Error(`${heard} / ${sent}`);
      }
      await simulation.stop();
    }),
    { numRuns: 40 },
  );
});

t.test('racing claims leave one owner and lose no acknowledged turn', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 12 }),
      async (seed, shards) => {
        const simulation = await simulate(seed);
        const fleet = fleetCounterAddress('raced');
        let added = 0;
        for (const shard of [0, ...shards]) {
          const system = simulation.thread(`shard-${shard}`);
          const claims = [
            system?.claim(fleet),
            simulation.thread(`shard-${1 - shard}`)?.claim(fleet),
          ];
          await simulation.until(Promise.allSettled(claims));
          const owners = [0, 1].filter((n) => simulation.thread(`shard-${n}`)?.holds(fleet));
          if (owners.length !== 1) throw new Error(`owners: ${owners}`);
          const ask = simulation.system.ask(fleet, 'add', 1, deadline);
          added += 1;
          const value = await simulation.until(ask);
          if (value !== added) throw new Error(`${added} added, ${value} kept`);
        }
        await simulation.stop();
      },
    ),
    { numRuns: 40 },
  );
});

t.test('a soft write never undoes the durable one behind it', async () => {
  const step = fc.record({
    message: fc.constantFrom('addSoon' as const, 'addDurable' as const),
    key: fc.constantFrom('a', 'b'),
    pauseMs: fc.integer({ min: 0, max: 25 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
      const simulation = await simulate(1, 40);
      const asked: Promise<unknown>[] = [];
      for (const { message, key, pauseMs } of steps) {
        asked.push(simulation.system.ask(serviceCounterAddress(key), message, 1, deadline));
        await simulation.run(pauseMs);
      }
      await simulation.until(Promise.all(asked));
      await simulation.run(200);
      for (const name of ['a', 'b']) {
        const kept = simulation.reader('service-0').get(countersTable, name)?.value ?? 0;
        const sum = steps.filter(({ key }) => key === name).length;
        if (kept !== sum) throw new Error(`${name}: ${sum} added, ${kept} kept`);
      }
      await simulation.stop();
    }),
    { numRuns: 60 },
  );
});
