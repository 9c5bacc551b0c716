import t from 'tap';
import { BenchError } from '../../../bench/errors.ts';
import {
  envoysMax,
  parseCount,
  parseDuration,
  parseFleetOptions,
  parseShare,
  partOf,
} from '../../../bench/fleet/options.ts';
import { fc } from '../../support/property.ts';

const raw = {
  envoys: '500',
  interval: '15s',
  duration: '1m',
  ramp: '0s',
  changed: '10%',
  workers: '2',
};

function usageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BenchError && error.code === 'BENCH_USAGE') return error.message;
    throw error;
  }
  return 'accepted';
}

t.test('options mean what they say', async (t) => {
  t.same(parseFleetOptions(raw), {
    envoys: 500,
    intervalMs: 15_000,
    durationMs: 60_000,
    rampMs: 0,
    changed: 0.1,
    workers: 2,
    shards: 0,
    workDirectory: undefined,
    json: false,
  });
  t.equal(parseDuration('1.5s', '--ramp'), 1500);
  t.equal(parseDuration('250ms', '--ramp'), 250);
  t.equal(parseDuration('2m', '--ramp'), 120_000);
  t.equal(parseShare('0.5', '--changed'), 0.5);
  t.equal(parseShare('100%', '--changed'), 1);
});

t.test('a wrong option is refused by its name, not taken for something else', async (t) => {
  const wrong: [Partial<typeof raw> & { shards?: string }, RegExp][] = [
    [{ envoys: '0' }, /--envoys/],
    [{ envoys: String(envoysMax + 1) }, /--envoys/],
    [{ envoys: '1e3' }, /--envoys/],
    [{ envoys: '' }, /--envoys/],
    [{ interval: '5' }, /--interval/],
    [{ interval: '500ms' }, /--interval is between 1000 ms/],
    [{ interval: '-5s' }, /--interval/],
    [{ duration: '0s' }, /--duration/],
    [{ duration: '25h' }, /--duration/],
    [{ ramp: 'soon' }, /--ramp/],
    [{ changed: '' }, /--changed/],
    [{ changed: '101%' }, /--changed/],
    [{ changed: '2' }, /--changed/],
    [{ workers: '65' }, /--workers/],
    [{ shards: '0' }, /--shards/],
    [{ envoys: '1', workers: '2' }, /2 generator threads share 1 envoys/],
  ];
  for (const [change, message] of wrong) {
    t.match(
      usageOf(() => parseFleetOptions({ ...raw, ...change })),
      message,
      JSON.stringify(change),
    );
  }
});

t.test('any text is either a count within its bounds or refused', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer().map(String)), (text) => {
      const said = usageOf(() => {
        const count = parseCount(text, '--envoys', 100);
        if (!(Number.isInteger(count) && count >= 1 && count <= 100)) throw new Error(text);
      });
      return said === 'accepted' || said.includes('--envoys');
    }),
  );
});

t.test('every envoy is played by exactly one thread', async () => {
  const sizes = fc.record({
    envoys: fc.integer({ min: 1, max: envoysMax }),
    workers: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(sizes, ({ envoys, workers }) => {
      const parts = Array.from({ length: workers }, (_, at) => partOf(envoys, workers, at));
      const joined = parts.every(([from], at) => from === (parts[at - 1]?.[1] ?? 0));
      const shares = parts.map(([from, to]) => to - from);
      const even = Math.max(...shares) - Math.min(...shares) <= 1;
      return joined && even && parts.at(-1)?.[1] === envoys;
    }),
  );
});
