import t from 'tap';
import { SilenceWatch } from '../../../actors/envoy/silence-watch.ts';
import { SimulatedClock, SimulatedTime } from '../../../runtime/simulate/simulated-clock.ts';
import { fc } from '../../support/property.ts';

const limitMs = 44_000;
/** The wheel is late by at most a tick. */
const tickMs = 20;

function watched() {
  const time = new SimulatedTime();
  const silent: { envoyId: string; atMs: number }[] = [];
  const watch = new SilenceWatch({
    clock: new SimulatedClock(time, 0),
    limitMs,
    onSilent: (envoyId) => silent.push({ envoyId, atMs: time.nowMs }),
  });
  const runTo = (untilMs: number) => {
    while (time.step(untilMs)) {
      /* The next event. */
    }
  };
  return { time, silent, watch, runTo };
}

t.test('who stops checking in is known within the limit; who goes on never is', async () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 120_000 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(gaps, { minLength: 1, maxLength: 5 }), (envoys) => {
      const { silent, watch, runTo } = watched();
      const checkIns = envoys.flatMap((times, number) => {
        const sumTo = (at: number) => times.slice(0, at + 1).reduce((sum, gap) => sum + gap, 0);
        return times.map((_, at) => ({ envoyId: `envoy-${number}`, atMs: sumTo(at) }));
      });
      checkIns.sort((a, b) => a.atMs - b.atMs);
      for (const { envoyId, atMs } of checkIns) {
        runTo(atMs);
        watch.seen(envoyId);
      }
      runTo(10_000_000);
      watch.stop();
      const expected = envoys.flatMap((_, number) => {
        const own = checkIns.filter(({ envoyId }) => envoyId === `envoy-${number}`);
        return own.flatMap(({ envoyId, atMs }, at) => {
          const next = own[at + 1]?.atMs ?? Number.POSITIVE_INFINITY;
          // Within a tick of the limit either answer is right.
          if (Math.abs(next - atMs - limitMs) <= tickMs) return [];
          return next - atMs > limitMs ? [{ envoyId, atMs: atMs + limitMs }] : [];
        });
      });
      return (
        expected.every(({ envoyId, atMs }) =>
          silent.some(
            (one) => one.envoyId === envoyId && one.atMs >= atMs && one.atMs <= atMs + tickMs,
          ),
        ) && silent.length <= checkIns.length
      );
    }),
    { numRuns: 100 },
  );
});

t.test('a server that stood still calls nobody offline for it', async (t) => {
  const { time, silent, watch, runTo } = watched();
  watch.seen('web-1');
  runTo(20_000);
  watch.seen('web-1');
  // A stopped process: time passes, no timer of it runs, and then all are due at once.
  time.at(600_000, () => undefined);
  const sleeping = new SilenceWatch({
    clock: frozenUntil(time, 600_000),
    limitMs,
    onSilent: (envoyId) => silent.push({ envoyId, atMs: time.nowMs }),
  });
  sleeping.seen('web-2');
  watch.stop();
  runTo(600_000 + limitMs / 2);
  t.same(silent, [], 'half of the allowed silence has passed since it woke');
  runTo(600_000 + 2 * limitMs);
  t.match(silent, [{ envoyId: 'web-2' }], 'and who does not come back then is offline');
});

t.test('a fleet that comes back slower than the limit is not called offline for it', async (t) => {
  const { silent, watch, runTo } = watched();
  // Nobody but these three is watched from the beginning: they come last, or never.
  for (const envoyId of ['late-1', 'late-2', 'gone']) watch.expect(envoyId);
  for (let at = 0; at < 800; at += 1) {
    runTo(at * 100);
    watch.seen(`web-${at}`);
    for (let seen = 0; seen < at; seen += 1) watch.seen(`web-${seen}`);
  }
  watch.seen('late-1');
  watch.seen('late-2');
  t.same(silent, [], '80 s, and the limit is 44');
  runTo(80_000 + limitMs + 1_000);
  t.match(
    silent.filter(({ envoyId }) => !envoyId.startsWith('web')),
    [{ envoyId: 'gone' }],
  );
});

t.test(
  'who is gone after a start is known in time when the others came back in time',
  async (t) => {
    const { silent, watch, runTo } = watched();
    watch.expect('gone');
    for (let at = 0; at < 400; at += 1) {
      runTo((at * limitMs) / 3 / 400);
      watch.seen(`web-${at}`);
    }
    runTo(limitMs + tickMs);
    t.match(silent, [{ envoyId: 'gone' }]);
  },
);

t.test('newcomers without end do not hide for ever who is gone', async (t) => {
  const { silent, watch, runTo } = watched();
  watch.expect('gone');
  for (let at = 0; at < 8_000; at += 1) {
    runTo(at * 25);
    watch.seen(`web-${at}`);
  }
  runTo(4 * limitMs + tickMs);
  t.ok(silent.some(({ envoyId }) => envoyId === 'gone'));
});

t.test('envoys that moved to another shard are not missed here', async (t) => {
  const { silent, watch, runTo } = watched();
  watch.seen('web-1');
  watch.expect('web-2');
  watch.forget('web-1');
  runTo(limitMs * 2);
  t.match(silent, [{ envoyId: 'web-2' }]);
  t.equal(silent.length, 1);
  t.equal(watch.size, 0, 'nobody is kept who is not there');
  watch.stop();
});

t.test('who came back after being forgotten is watched by one timer that counts', async (t) => {
  const { silent, watch, runTo } = watched();
  watch.seen('web-1');
  watch.forget('web-1');
  runTo(30_000);
  watch.seen('web-1');
  runTo(limitMs + tickMs);
  t.same(silent, [], 'the old timer says nothing of the new stay');
  runTo(30_000 + limitMs + tickMs);
  t.equal(silent.length, 1);
  watch.stop();
});

/** The clock of a thread that does not run before `untilMs`: its timers fire then, all late. */
function frozenUntil(time: SimulatedTime, untilMs: number) {
  const clock = new SimulatedClock(time, 0);
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    soon: (run: () => void) => clock.soon(run),
    after: (delayMs: number, run: () => void) =>
      clock.after(Math.max(delayMs, untilMs - clock.monotonicMs()), run),
  };
}
