import t from 'tap';
import { silenceLimitMs } from '../../../actors/envoy/convergence.ts';
import { EnvoyRecord, envoyTable } from '../../../actors/envoy/record.ts';
import { Silence } from '../../../actors/envoy/silence.ts';
import { serverTables } from '../../../actors/server/thread-data.ts';
import type { FleetEvents } from '../../../actors/sink/messages.ts';
import type { OutboxWriterMessages } from '../../../actors/sink/outbox-writer.ts';
import type { ActorSystem } from '../../../runtime/actor.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { SeededRandom } from '../../../runtime/simulate/seeded-random.ts';
import { SimulatedClock, SimulatedTime } from '../../../runtime/simulate/simulated-clock.ts';
import { SimulatedDisk } from '../../../runtime/simulate/simulated-disk.ts';
import { openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import type { Operation } from '../../../runtime/store.ts';
import { fc } from '../../support/property.ts';
import { envoyIdOf } from '../support/sink.ts';

const intervalMs = 10_000;
const limitMs = silenceLimitMs(intervalMs);
const epochMs = Date.UTC(2026, 0, 1);
/** The wheel's tick, and what gathers before it is told. */
const lateMs = 200;

interface Envoy {
  /** Where its record is: here, in the other shard, nowhere. */
  readonly record: 'here' | 'there' | 'none';
  readonly revoked: boolean;
  /** Milliseconds after the start at which it checks in here. */
  readonly seenMs: readonly number[];
}

async function fill(envoys: readonly Envoy[]) {
  const open = () => openSimulatedStore({ disk: new SimulatedStoreDisk(), ports: nodePorts() });
  const stores = { here: open().store, there: open().store, service: open().store };
  const rows: Record<keyof typeof stores, Operation[]> = { here: [], there: [], service: [] };
  for (const [number, { record, revoked }] of envoys.entries()) {
    const key = envoyIdOf(number);
    const identity = {
      ...{ hostname: `host-${number}`, publicKey: new Uint8Array(32) },
      ...{ revoked, settledReportSequence: 0 },
    };
    const table = serverTables.identities as Operation['table'];
    rows.service.push({ op: 'put', table, key, value: identity });
    if (record === 'none') continue;
    const value = EnvoyRecord.empty();
    value.lastSeenMs = epochMs - 5_000;
    value.revoked = revoked;
    rows[record].push(putRecord(key, value));
  }
  await stores.here.transact(rows.here).committed;
  await stores.there.transact(rows.there).committed;
  await stores.service.transact(rows.service).committed;
  return stores;
}

function putRecord(key: string, value: EnvoyRecord): Operation {
  return { op: 'put', table: envoyTable as Operation['table'], key, value };
}

/** The silence of the first of two shards; `told` fills with who fell silent, and when. */
function begin(stores: Awaited<ReturnType<typeof fill>>) {
  const time = new SimulatedTime();
  const clock = new SimulatedClock(time, epochMs);
  const told: { envoyId: string; atMs: number }[] = [];
  const silence = new Silence({
    ...{ thread: 'shard-0', shards: ['shard-0', 'shard-1'], intervalMs },
    ports: { clock, random: new SeededRandom(1), disk: new SimulatedDisk() },
    ...{ store: stores.here, peers: [stores.there], service: stores.service },
    tables: serverTables,
    mayTell: () => true,
  });
  const tell = (_to: unknown, _type: unknown, payload: unknown): void => {
    const { events } = payload as OutboxWriterMessages['write']['payload'];
    for (const { body } of events) {
      const { envoyId } = body as FleetEvents['envoy.silent'];
      told.push({ envoyId, atMs: time.nowMs });
    }
  };
  silence.start({ tell: tell as ActorSystem['tell'] });
  return { time, silence, told };
}

t.test('each that is not there for the allowed silence after a start is told of once', async () => {
  const envoy: fc.Arbitrary<Envoy> = fc.record({
    record: fc.constantFrom('here', 'here', 'there', 'none'),
    revoked: fc.boolean(),
    seenMs: fc
      .array(fc.integer({ min: 1, max: limitMs - lateMs }), { maxLength: 2 })
      .map((times) => times.toSorted((a, b) => a - b)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(envoy, { minLength: 1, maxLength: 12 }), async (envoys) => {
      const stores = await fill(envoys);
      const { time, silence, told } = begin(stores);
      const checkIns = envoys.flatMap(({ seenMs }, number) =>
        seenMs.map((atMs) => ({ atMs, number })),
      );
      for (const { atMs, number } of checkIns.toSorted((a, b) => a.atMs - b.atMs)) {
        while (time.step(atMs));
        const record = EnvoyRecord.empty();
        record.lastSeenMs = epochMs + atMs;
        await stores.here.transact([putRecord(envoyIdOf(number), record)]).committed;
        silence.watch.seen(envoyIdOf(number));
      }
      while (time.step(3 * limitMs));
      silence.stop();
      for (const [number, { record, revoked, seenMs }] of envoys.entries()) {
        const own = told.filter(({ envoyId }) => envoyId === envoyIdOf(number));
        const lastMs = seenMs.at(-1);
        // Their UUIDs begin with zeros: those without a record are this shard's to watch.
        const isExpected = lastMs !== undefined || (!revoked && record !== 'there');
        const dueMs = (lastMs ?? 0) + limitMs;
        if (own.length !== Number(isExpected)) throw new Error(`${number}: ${own.length} times`);
        const late = (own[0]?.atMs ?? dueMs) - dueMs;
        if (late < 0 || late > lateMs) throw new Error(`${number}: late by ${late}`);
      }
    }),
    { numRuns: 60 },
  );
});

t.test('a fleet that is known costs no memory until its silence is over', async (t) => {
  const envoys = Array.from({ length: 2_500 }, (): Envoy => {
    return { record: 'here', revoked: false, seenMs: [] };
  });
  const { time, silence, told } = begin(await fill(envoys));
  while (time.step(limitMs - 1));
  t.equal(silence.watch.size, 0);
  t.equal(told.length, 0);
  while (time.step(limitMs + lateMs));
  t.equal(new Set(told.map(({ envoyId }) => envoyId)).size, envoys.length);
  t.equal(told.length, envoys.length);
  silence.stop();
});

t.test('a record that came from another shard meanwhile has the allowed silence', async (t) => {
  const stores = await fill([{ record: 'there', revoked: false, seenMs: [] }]);
  const { time, silence, told } = begin(stores);
  while (time.step(limitMs / 2));
  const record = EnvoyRecord.empty();
  record.lastSeenMs = epochMs + limitMs / 2;
  await stores.here.transact([putRecord(envoyIdOf(0), record)]).committed;
  while (time.step(1.75 * limitMs));
  t.same(told, []);
  while (time.step(2 * limitMs + lateMs));
  t.equal(told.length, 1);
  silence.stop();
});
