import t from 'tap';
import { Backoff } from '../../../bench/fleet/backoff.ts';
import { FleetWatch, joinTimes } from '../../../bench/fleet/fleet-watch.ts';
import { parseModeOptions } from '../../../bench/modes/options.ts';
import { reached } from '../../../bench/modes/reached.ts';
import { trendOf } from '../../../bench/modes/trend.ts';
import { fc } from '../../support/property.ts';

t.test('the watch tells back, taken, told and silent envoys apart', async (t) => {
  const watch = new FleetWatch(3);
  const seen = { beganMs: 900, nowMs: 1000, told: 1, held: 1 };
  watch.answered(0, seen);
  watch.begin(2000, 2);
  watch.answered(0, { ...seen, beganMs: 1900, nowMs: 2100, held: 2 });
  t.same(watch.progress(), { back: 0, taken: 1, told: 0, rehearsed: 0 }, 'it was begun before');
  watch.answered(0, { beganMs: 2500, nowMs: 2600, told: 2, held: 2 });
  watch.answered(1, { beganMs: 2500, nowMs: 2700, told: 1, held: 1 });
  t.same(watch.progress(), { back: 2, taken: 1, told: 1, rehearsed: 0 });
  const { back, longestGap } = joinTimes([watch.times(4600), watch.times(4600)]);
  t.same([...back], [2600, 2700, 0, 2600, 2700, 0]);
  t.equal(longestGap[0], 2000, 'silence that lasts counts');
});

t.test('an envoy answers the question of a plan once, and the watch knows when', async (t) => {
  const watch = new FleetWatch(2);
  watch.begin(0, 1);
  const asking = (plan: number) => ({
    manifest: {
      planId: Buffer.alloc(16, plan),
      envoyId: Buffer.alloc(16),
      bundleRoot: Buffer.alloc(32),
      issuedAtMs: 1,
      expiresAtMs: 2,
    },
    signature: Buffer.alloc(64),
    document: Buffer.alloc(1),
  });
  t.ok(watch.isNew(1, asking(1)));
  watch.answeredPlan(1, asking(1), 500);
  t.notOk(watch.isNew(1, asking(1)), 'the same question again');
  t.ok(watch.isNew(1, asking(2)), 'another plan');
  t.ok(watch.isNew(0, asking(1)), 'another envoy');
  t.equal(watch.progress().rehearsed, 1);
  t.same([...watch.times(600).rehearsed], [0, 500]);
  t.match(reached(watch.times(600).rehearsed, 0, 1), { all_s: 0.5, envoys: 1, of: 1 });
});

t.test('shares of a fleet are reached in order, or are absent', async () => {
  const times = fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(times, (values) => {
      const said = reached(Float64Array.from(values), 0);
      const there = values.filter((value) => value > 0).sort((a, b) => a - b);
      const known = [said.p50_s, said.p90_s, said.p99_s, said.all_s].filter((s) => s !== undefined);
      const rising = known.every((s, at) => at === 0 || s >= (known[at - 1] ?? 0));
      const isWhole = there.length === values.length;
      return rising && isWhole === (said.all_s !== undefined) && said.envoys === there.length;
    }),
  );
});

t.test('a trend finds a slope through noise-free points, and says how sure it is', async () => {
  const parts = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -500, max: 500 }));
  fc.assert(
    fc.property(parts, ([slope, intercept]) => {
      const points = Array.from({ length: 20 }, (_, x) => [x, intercept + slope * x] as const);
      const trend = trendOf(points);
      return Math.abs(trend.slope - slope) < 1e-6 && trend.slopeError < 1e-6;
    }),
  );
});

t.test('envoys back off as agents do, and never before the server asked', async () => {
  const randoms = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(randoms, fc.integer({ min: 0, max: 40 }), (random, failures) => {
      const backoff = new Backoff(15_000, () => random);
      for (let count = 0; count < failures; count += 1) backoff.next();
      const wait = backoff.next(5000);
      return wait >= 5000 && wait <= 5000 + Math.min(30_000, 1000 * 2 ** failures);
    }),
  );
});

t.test('options of the modes are refused by name', async (t) => {
  const raw = {
    ...{ envoys: '5', interval: '1s', duration: '1s', ramp: '0s', changed: '0', workers: '1' },
  };
  t.match(parseModeOptions(raw), { how: 'stop', burst: 0.5, viewers: 20, signAhead: false });
  t.match(parseModeOptions(raw), { turnEveryMs: 0 }, 'a dashboard stays open');
  t.match(parseModeOptions({ ...raw, turnEvery: '5s' }), { turnEveryMs: 5000 });
  t.throws(() => parseModeOptions({ ...raw, turnEvery: 'often' }), /--turn-every/);
  t.throws(() => parseModeOptions({ ...raw, how: 'burn' }), /--how/);
  t.throws(() => parseModeOptions({ ...raw, burst: '200%' }), /--burst/);
  t.throws(() => parseModeOptions({ ...raw, viewers: '0' }), /--viewers/);
});
