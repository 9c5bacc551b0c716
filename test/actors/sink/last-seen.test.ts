import t from 'tap';
import { stateNumber } from '../../../actors/envoy/states.ts';
import type { EnvoySeen } from '../../../actors/sink/messages.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { startMs } from '../support/environment.ts';
import { envoyIdOf, envoyRecord, reportEntry, testSink } from '../support/sink.ts';

const converged = stateNumber('converged');

function seenAt(envoy: number, lastSeenMs: number, change: Partial<EnvoySeen> = {}): EnvoySeen {
  const versions = { policyVersion: 3, agentVersion: '1.0.0', driftRuns: 0 };
  return { envoyId: envoyIdOf(envoy), lastSeenMs, state: converged, ...versions, ...change };
}

t.test('people see when a machine of which nothing changed was last there', async (t) => {
  const { writer, file } = testSink(t);
  const both = [1, 2];
  await writer.write(
    both.map((envoy) => envoyRecord(envoy)),
    [],
  );
  await writer.lastSeen(both.map((envoy) => seenAt(envoy, startMs)));
  await writer.lastSeen([seenAt(1, startMs + 60_000), seenAt(2, startMs - 60_000), seenAt(3, 1)]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  const lastSeenMs = (host: string) => queries.findEnvoys(host)[0]?.lastSeenMs;
  t.equal(lastSeenMs('host-1'), startMs + 60_000);
  t.equal(lastSeenMs('host-2'), startMs, 'it never goes back');
});

t.test('a restored database learns of states that changed after its backup', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write([envoyRecord(1), envoyRecord(2)], []);
  await writer.lastSeen([seenAt(1, startMs), seenAt(2, startMs)]);
  await writer.lastSeen([
    seenAt(1, startMs + 60_000, { state: stateNumber('failed'), policyVersion: 4 }),
    seenAt(2, startMs + 60_000),
  ]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  t.match(queries.findEnvoys('host-1')[0], { state: 'failed', policyVersion: 4 });
  t.match(queries.findEnvoys('host-2')[0], { state: 'converged', policyVersion: 3 });
});

t.test('a machine that was called offline is back in its state', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  await writer.lastSeen([seenAt(1, startMs)]);
  const silent = { envoyId: envoyIdOf(1), lastSeenMs: startMs };
  const event = { type: 'envoy.silent', atMs: startMs + 45_000, body: silent };
  await writer.drain('s', [{ storeId: 7, sequence: 1, event }]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  t.match(queries.findEnvoys('host-1')[0], { state: 'offline' });
  await writer.lastSeen([seenAt(1, startMs + 50_000)]);
  t.match(queries.findEnvoys('host-1')[0], { state: 'converged', lastSeenMs: startMs + 50_000 });
});

t.test(
  'a machine is back also when its report was written before the news that it is',
  async (t) => {
    const { writer, file } = testSink(t);
    await writer.write([envoyRecord(1)], []);
    await writer.lastSeen([seenAt(1, startMs)]);
    const silent = { envoyId: envoyIdOf(1), lastSeenMs: startMs };
    const event = { type: 'envoy.silent', atMs: startMs + 45_000, body: silent };
    await writer.drain('s', [{ storeId: 7, sequence: 1, event }]);
    const receivedAtMs = startMs + 50_400;
    await writer.drain('s', [reportEntry(2, 1, 1, { receivedAtMs })]);
    await writer.lastSeen([seenAt(1, startMs + 50_000)]);
    const queries = new SinkQueries(file);
    t.teardown(() => queries.close());
    t.match(queries.findEnvoys('host-1')[0], { state: 'converged' });
  },
);

t.test('a revoked machine stays as it was', async (t) => {
  const { writer, file } = testSink(t);
  await writer.write([envoyRecord(1)], []);
  await writer.lastSeen([seenAt(1, startMs)]);
  const revoked = {
    record: 'envoyRevoked',
    envoyId: envoyIdOf(1),
    reason: '',
    atMs: startMs,
  } as const;
  await writer.write([revoked], []);
  await writer.lastSeen([seenAt(1, startMs + 60_000)]);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  t.match(queries.findEnvoys('host-1')[0], { lastSeenMs: startMs });
});
