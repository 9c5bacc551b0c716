import t from 'tap';
import {
  AlarmWatch,
  type ServerReading,
  serverFigures,
} from '../../../../admin/api/live/figures.ts';

function reading(nowMs: number, checkIns: number, lagMs = 0, usedBytes = 1): ServerReading {
  const store = { usedBytes, limitBytes: 100 };
  const refusals = { REQUEST_REPLAYED: checkIns / 10 };
  return {
    nowMs,
    process: { rssKb: 1_000, cpuUs: nowMs * 500 },
    shards: [{ store }],
    service: { store },
    sink: { waitingEvents: 3, lagMs },
    totals: { connections: 7, checkIns, reports: 0, refusals },
    policyVersion: 4,
  } as unknown as ServerReading;
}

t.test('rates are what happened between two readings', (t) => {
  const { data } = serverFigures(reading(15_000, 600), reading(10_000, 100), 2);
  t.match(data, { checkInsPerSecond: 100, refusalsPerSecond: 10, cpuPercent: 50, viewers: 2 });
  const { data: restarted } = serverFigures(reading(20_000, 5), reading(15_000, 600), 2);
  t.equal(restarted.checkInsPerSecond, 0, 'a thread that was replaced counts from nothing');
  t.end();
});

t.test('an alarm is told when it is raised and when it is over, and not in between', (t) => {
  const watch = new AlarmWatch(1);
  t.same(watch.consider(reading(1, 0)), []);
  t.match(watch.consider(reading(2, 0, 61_000)), [
    { type: 'server.alarm', data: { code: 'VigoSinkBehind', raised: true } },
  ]);
  t.same(watch.consider(reading(3, 0, 62_000)), []);
  t.match(watch.consider(reading(4, 0, 0, 81)), [
    { data: { code: 'VigoStoreFilling', raised: true } },
    { data: { code: 'VigoSinkBehind', raised: false } },
  ]);
  t.same(watch.raised, ['VigoStoreFilling']);
  t.match(new AlarmWatch(2).consider(reading(5, 0)), [{ data: { code: 'VigoShardMissing' } }]);
  t.end();
});
