import t from 'tap';
import { Calm, type Spent } from '../../../bench/run/calm.ts';

function figures(outboxEntries: number, waitingEvents = 0) {
  const shard = { thread: 'shard-0', checkIns: 0, sqlStatements: 0, sqlDriverLoaded: false };
  return { shards: [{ ...shard, outboxEntries }], sink: { waitingEvents } };
}

/** Looks one second apart at a server that keeps so many cores busy. */
function look(
  calm: Calm,
  second: number,
  cores: number,
  seen = figures(0),
  { missed = 0, reports = 0 } = {},
) {
  const before: Spent = { atMs: second * 1000, serverUs: 0, missed: 0, reports: 10 };
  const now: Spent = {
    atMs: before.atMs + 1000,
    serverUs: cores * 1e6,
    missed,
    reports: 10 + reports,
  };
  return calm.look(before, now, seen);
}

t.test('a window does not open while the server still works off the connections', async (t) => {
  const calm = new Calm();
  t.match(look(calm, 0, 1.9), /hardly looked at/);
  t.match(look(calm, 1, 1.2), /hardly looked at/);
  t.match(look(calm, 2, 0.5), /between 0.50 and 1.90 cores/);
  t.match(look(calm, 3, 0.5), /between 0.50 and 1.20 cores/);
  t.match(look(calm, 4, 0.5, figures(7, 2)), /9 events are not in the database/);
  t.match(look(calm, 5, 0.5, figures(0), { missed: 3 }), /3 check-ins .* missed/);
  t.equal(look(calm, 6, 0.52), undefined, 'now it is calm');
  t.equal(look(calm, 7, 0.45), undefined, 'small differences are none');
  t.match(look(calm, 8, 0.5, figures(90, 11), { reports: 100 }), /101 events are not/);
  const reporting = look(calm, 9, 0.5, figures(90, 10), { reports: 100 });
  t.equal(reporting, undefined, 'under reports there is always news on its way');
});
