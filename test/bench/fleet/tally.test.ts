import t from 'tap';
import { mergeResults } from '../../../bench/fleet/generator.ts';
import { Latencies } from '../../../bench/fleet/histogram.ts';
import { Tally } from '../../../bench/fleet/tally.ts';
import type { WorkerResult } from '../../../bench/fleet/worker-messages.ts';
import { fc } from '../../support/property.ts';

function resultOf(tally: Tally, utilization: number): WorkerResult {
  const counts = tally.counts();
  const histograms = tally.histograms();
  return { word: 'result', inWindow: counts, counts, histograms, utilization };
}

t.test('percentiles are of what was recorded, in milliseconds', async (t) => {
  const latencies = new Latencies();
  t.same(latencies.summary(), { p50: 0, p99: 0, max: 0 }, 'nothing recorded is no NaN');
  for (let ms = 1; ms <= 100; ms++) latencies.record(ms * 1000);
  const { p50, p99, max } = latencies.summary();
  t.ok(Math.abs(p50 - 50) < 0.5 && Math.abs(p99 - 99) < 0.5 && Math.abs(max - 100) < 0.5);
  t.doesNotThrow(() => latencies.record(0), 'faster than a microsecond is no error');
  t.doesNotThrow(() => latencies.record(-3), 'a timer that fires early is no error');
});

t.test('percentiles over several threads are those of all recordings together', async () => {
  const us = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(us, { minLength: 1, maxLength: 4 }), (parts) => {
      const record = (values: number[]) => {
        const latencies = new Latencies();
        for (const value of values) latencies.record(value);
        return latencies;
      };
      const summed = Latencies.sum(parts.map((part) => record(part).snapshot())).summary();
      const whole = record(parts.flat()).summary();
      return JSON.stringify(summed) === JSON.stringify(whole);
    }),
    { numRuns: 50 },
  );
});

t.test('what several threads counted adds up, and the busiest one is named', async (t) => {
  const first = new Tally();
  const second = new Tally();
  first.done = 3;
  second.done = 4;
  second.missed = 1;
  second.reconnects = 2;
  first.failed('DEADLINE');
  second.failed('DEADLINE');
  second.failed('CONNECT_ECONNREFUSED');
  first.checkInLatencies.record(1000);
  second.checkInLatencies.record(9000);
  const merged = mergeResults([resultOf(first, 0.2), resultOf(second, 0.8)]);
  t.match(merged.counts, { done: 7, missed: 1, reconnects: 2 });
  t.same(merged.counts.errors, { DEADLINE: 2, CONNECT_ECONNREFUSED: 1 });
  t.ok(Math.abs(merged.checkIns.summary().max - 9) < 0.1);
  t.equal(merged.utilization, 0.8);
});

t.test(
  'a flood of different errors does not fill the memory, and none goes uncounted',
  async (t) => {
    const tally = new Tally();
    for (let at = 0; at < 500; at++) tally.failed(`CODE_${at}`);
    const { errors } = tally.counts();
    t.ok(Object.keys(errors).length <= 101);
    t.equal(
      Object.values(errors).reduce((sum, count) => sum + count, 0),
      500,
    );
  },
);
