import t from 'tap';
import { ServerError } from '../../../actors/errors.ts';
import { type OutboxSource, sinkKind } from '../../../actors/sink/actor.ts';
import type { FleetEntry } from '../../../actors/sink/fleet-batch.ts';
import { drainBatchLimit } from '../../../actors/sink/limits.ts';
import { sinkAddress } from '../../../actors/sink/messages.ts';
import type { SinkWriter } from '../../../actors/sink/writer.ts';
import type { ActorKind } from '../../../runtime/actor.ts';
import { Simulation } from '../../../runtime/simulate/simulation.ts';
import { envoyIdOf, envoyRecord, reportEntry, testSink } from '../support/sink.ts';

interface Watched {
  readonly simulation: Simulation;
  readonly trims: number[];
  readonly settled: [string, number][];
  readonly failures: string[];
}

type SettledMessages = { settled: { payload: { reportSequence: number }; reply: undefined } };

function watch(writer: SinkWriter, source: OutboxSource | undefined): Watched {
  const trims: number[] = [];
  const settled: [string, number][] = [];
  const failures: string[] = [];
  const sink = sinkKind({
    writer,
    outbox: () => source,
    trim: (_origin, _storeId, sequence) => trims.push(sequence),
    wake: (origin) => simulation.system.tell(sinkAddress(), 'outboxReady', { origin }),
    log: (level, _message, fields) => {
      if (level === 'error') failures.push(String(fields.code));
    },
  });
  const envoy: ActorKind<undefined, SettledMessages> = {
    name: 'envoy',
    placement: 'service',
    mailboxLimit: 100,
    idleAfterMs: 0,
    restart: { maxRestarts: 1, withinMs: 1000 },
    activate: () => undefined,
    handlers: {
      settled: (turn, { reportSequence }) => {
        settled.push([turn.key, reportSequence]);
        return undefined;
      },
    },
  };
  const simulation = new Simulation({
    seed: 1,
    shards: 0,
    serviceHosts: [{ name: 'service', kinds: ['sink', 'envoy'] }],
    kinds: [sink, envoy],
  });
  return { simulation, trims, settled, failures };
}

function sourceOf(entries: readonly FleetEntry[]): OutboxSource {
  return {
    storeId: () => 7,
    read: (after, limit) => entries.filter(({ sequence }) => sequence > after).slice(0, limit),
  };
}

t.test('a whole outbox is taken over in batches, trimmed, and its envoys are told', async (t) => {
  const { writer } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  const count = drainBatchLimit + 20;
  const entries = Array.from({ length: count }, (_, index) => reportEntry(index + 1, 1, index + 1));
  const { simulation, trims, settled } = watch(writer, sourceOf(entries));
  await simulation.start();
  simulation.system.tell(sinkAddress(), 'outboxReady', { origin: 'shard-0' });
  await simulation.run(1000);
  t.same(trims, [drainBatchLimit, count]);
  t.same(settled.at(-1), [envoyIdOf(1), count]);
});

t.test('while the database refuses, it is tried again, and nothing is trimmed', async (t) => {
  const { writer } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  const drain = writer.drain.bind(writer);
  let refusals = 4;
  writer.drain = async (origin, entries) => {
    if (refusals-- > 0) throw new ServerError('SINK_DISK_FULL');
    return await drain(origin, entries);
  };
  const { simulation, trims, failures } = watch(writer, sourceOf([reportEntry(1, 1, 1)]));
  await simulation.start();
  simulation.system.tell(sinkAddress(), 'outboxReady', { origin: 'shard-0' });
  await simulation.run(1000);
  t.same(trims, []);
  t.ok(failures.length >= 1 && failures.length < 4, 'it waits longer each time');
  await simulation.run(60_000);
  t.same(trims, [1]);
  t.same(failures, Array(4).fill('SINK_DISK_FULL'));
});

t.test('a shard that is not there yet is no error', async (t) => {
  const { writer } = testSink(t);
  const { simulation, trims } = watch(writer, undefined);
  await simulation.start();
  simulation.system.tell(sinkAddress(), 'outboxReady', { origin: 'shard-9' });
  await simulation.run(1000);
  t.same(trims, []);
});

t.test('a full disk costs a last seen and not the actor that writes everything', async (t) => {
  const { writer } = testSink(t);
  writer.lastSeen = () => Promise.reject(new ServerError('SINK_DISK_FULL'));
  const { simulation } = watch(writer, undefined);
  await simulation.start();
  const options = { deadlineMs: 1000 };
  const answer = simulation.system.ask(sinkAddress(), 'lastSeen', { seen: [] }, options);
  const answered = answer.then(
    () => 'kept on',
    (error: unknown) => String(error),
  );
  await simulation.run(2000);
  t.equal(await answered, 'kept on');
});
