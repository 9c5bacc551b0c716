import t from 'tap';
import {
  failureRecordLimit,
  parkedForMs,
  RestartCounter,
  Supervisor,
} from '../../runtime/supervision.ts';
import { fc } from '../support/property.ts';

t.test('restarts are allowed exactly up to the intensity in any window', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 60 }),
      (maxRestarts, withinMs, gaps) => {
        const counter = new RestartCounter({ maxRestarts, withinMs });
        const times: number[] = [];
        let nowMs = 0;
        for (const gap of gaps) {
          nowMs += gap;
          times.push(nowMs);
          const inWindow = times.filter((at) => at > nowMs - withinMs).length;
          if (counter.mayRestart(nowMs) !== inWindow <= maxRestarts) throw new Error('differs');
        }
      },
    ),
  );
});

t.test('a parked actor is tried again after a while, with a clean record', async (t) => {
  const supervisor = new Supervisor({ maxRestarts: 1, withinMs: 1_000 });
  t.equal(supervisor.failed('a', 0), 'restart');
  t.equal(supervisor.failed('a', 1), 'park');
  t.equal(
    supervisor.isParked('a', () => 2),
    true,
  );
  t.equal(
    supervisor.isParked('b', () => 2),
    false,
  );
  t.equal(
    supervisor.isParked('a', () => 1 + parkedForMs),
    false,
  );
  t.equal(supervisor.failed('a', 2 + parkedForMs), 'restart');
});

t.test('failure records are bounded: the oldest give way', async (t) => {
  const supervisor = new Supervisor({ maxRestarts: 0, withinMs: 1_000 });
  for (let index = 0; index <= failureRecordLimit; index += 1) supervisor.failed(`${index}`, 0);
  t.equal(
    supervisor.isParked('0', () => 1),
    false,
  );
  t.equal(
    supervisor.isParked(`${failureRecordLimit}`, () => 1),
    true,
  );
});
