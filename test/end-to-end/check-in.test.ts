import t from 'tap';
import { CheckInRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { clockSkewLimitMs } from '../../agent/protocol/limits.ts';
import { methods } from '../../agent/protocol/methods.ts';
import { emptyOf, type TestEnvoy } from '../support/test-envoy.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { TestServer } from './support/server-process.ts';

const body = CheckInRequest.encode({ ...emptyOf(CheckInRequest), state: 1 }).finish();

t.test('a fleet checks in and reports, and the database has it all', async (t) => {
  const server = await TestServer.make(t);
  const envoys = await server.provision(4);
  const { grpcPort } = await server.start();
  for (const envoy of envoys) envoy.moveTo(grpcPort);
  t.teardown(() => envoys.forEach((envoy) => void envoy.close()));
  const [first] = envoys as [TestEnvoy];

  const answer = await first.checkIn();
  t.ok(answer.nextCheckInMs >= 2500 && answer.nextCheckInMs <= 7500, 'paced around the interval');
  t.ok(answer.storeId > 0);
  t.equal(answer.bundle, undefined, 'nothing was published');
  const size = methods.CheckIn.response.encode(answer).finish().length;
  t.ok(size <= 100, `"same" costs ${size} bytes`);

  for (const envoy of envoys) {
    await envoy.checkIn();
    for (let sequence = 1; sequence <= 3; sequence++) {
      t.equal((await envoy.report()).durableReportSequence, sequence);
    }
  }
  const database = new TestDatabase(server.home.layout.database);
  t.ok(await eventually(() => [...database.reports().values()].flat().length === 12));
  for (const { envoyId } of envoys) t.same(database.reports().get(envoyId), [1, 2, 3]);
  t.ok(
    await eventually(() => {
      const rows = database.rows<{ state: number }>('SELECT state FROM envoys WHERE state = 1');
      return rows.length === 4;
    }),
    'people see the state',
  );

  const again = await first.report({ reportSequence: 2 });
  t.equal(again.durableReportSequence, 3, 'a repeated report is acknowledged');
  const gap = await first.report({ reportSequence: 9 });
  t.equal(gap.durableReportSequence, 3, 'a report beyond the next one is not kept');

  t.equal(await server.signal('SIGTERM'), 0, 'an orderly stop');
  t.same(database.reports().get(first.envoyId), [1, 2, 3]);
  await database.verifyAudit();
  t.match(database.auditTypes(), ['server.started', 'server.stopped']);
});

t.test('requests that are not what they claim to be are refused and audited', async (t) => {
  const server = await TestServer.make(t, { shards: 1 });
  const [envoy, other] = (await server.provision(2)) as [TestEnvoy, TestEnvoy];
  const { grpcPort } = await server.start();
  for (const each of [envoy, other]) each.moveTo(grpcPort);
  t.teardown(() => {
    envoy.close();
    other.close();
  });
  const code = async (sent: ReturnType<TestEnvoy['request']>) =>
    (await envoy.send('CheckIn', sent)).detail?.code;

  const good = envoy.request('CheckIn', body);
  t.equal((await envoy.send('CheckIn', good)).status, 0);
  t.equal(await code(good), 'REQUEST_REPLAYED');
  const early = envoy.request('CheckIn', body);
  const late = envoy.request('CheckIn', body);
  t.equal(await code(late), undefined);
  t.equal(await code(early), 'REQUEST_REPLAYED', 'overtaken');
  const skewed = { timestampMs: Date.now() - clockSkewLimitMs - 60_000 };
  t.equal(await code(envoy.request('CheckIn', body, skewed)), 'REQUEST_CLOCK_SKEW');
  const forged = envoy.request('CheckIn', body);
  t.equal(await code({ ...forged, timestampMs: forged.timestampMs + 1 }), 'REQUEST_SIGNATURE');
  const asReport = envoy.request('Report', body);
  t.equal(await code(asReport), 'REQUEST_SIGNATURE', 'signed for another method');
  const signedByOther = other.request('CheckIn', body, {
    envoyId: envoy.envoyId,
    sequence: envoy.sequence + 1,
  });
  t.equal(await code(signedByOther), 'REQUEST_SIGNATURE');
  t.equal((await envoy.checkIn()).storeId > 0, true, 'the honest one goes on');

  t.equal(await server.signal('SIGTERM'), 0);
  const database = new TestDatabase(server.home.layout.database);
  const types = new Set(database.auditTypes());
  for (const type of ['request.replayed', 'request.clock_skew', 'request.bad_signature']) {
    t.ok(types.has(type), `${type} is in the audit log`);
  }
  await database.verifyAudit();
});

t.test('an orderly stop answers what it accepted and leaves nothing behind', async (t) => {
  const server = await TestServer.make(t);
  const envoys = await server.provision(8);
  const { grpcPort } = await server.start();
  for (const envoy of envoys) envoy.moveTo(grpcPort);
  t.teardown(() => envoys.forEach((envoy) => void envoy.close()));
  const acknowledged = new Map<string, number>();
  let stopped = false;
  const running = envoys.map(async (envoy) => {
    while (!stopped) {
      const next = (acknowledged.get(envoy.envoyId) ?? 0) + 1;
      const answer = await envoy.report({ reportSequence: next }).catch(() => undefined);
      if (answer) acknowledged.set(envoy.envoyId, answer.durableReportSequence);
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  await eventually(() => acknowledged.size === envoys.length);
  t.equal(await server.signal('SIGTERM'), 0);
  stopped = true;
  await Promise.all(running);
  const found = new TestDatabase(server.home.layout.database).reports();
  for (const { envoyId } of envoys) {
    const last = acknowledged.get(envoyId) ?? 0;
    t.same(
      found.get(envoyId)?.slice(0, last),
      Array.from({ length: last }, (_, index) => index + 1),
      `${last} reports, all in the database before the process ended`,
    );
  }
});
