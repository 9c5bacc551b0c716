import t from 'tap';
import {
  boxHeight,
  boxWidth,
  linePath,
  type Sample,
  segments,
  stackedBands,
  totals,
} from '../../../../admin/web/charts/geometry.ts';
import {
  numberText,
  roundUp,
  shareText,
  timeText,
  timeTicks,
  valueTicks,
} from '../../../../admin/web/charts/scale.ts';
import { fc } from '../../../support/property.ts';

const atMs = Date.UTC(2026, 10, 22, 5, 17);
const hourMs = 3_600_000;

const samplesArbitrary = fc
  .integer({ min: 1, max: 4 })
  .chain((series) =>
    fc.array(
      fc.array(fc.option(fc.nat(100_000), { nil: undefined }), {
        minLength: series,
        maxLength: series,
      }),
      { maxLength: 30 },
    ),
  )
  .map((rows) => rows.map((values, at): Sample => ({ atMs: atMs + at * hourMs, values })));

const numbersIn = (path: string) => [...path.matchAll(/-?\d+(\.\d+)?/g)].map(([text]) => +text);

t.test('an axis holds the largest value, starts at 0 and has ticks that can be read', async (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (most) => {
      const { top, ticks } = valueTicks(most);
      return ticks[0] === 0 && top >= most * (1 - 1e-9) && ticks.length >= 2 && ticks.length <= 7;
    }),
  );
  t.same(valueTicks(0).ticks, [0, 1], 'nothing yet is no axis from 0 to 0');
  t.same(valueTicks(2, 1).ticks, [0, 1, 2], 'there is no half envoy');
  t.same(valueTicks(97).ticks, [0, 25, 50, 75, 100]);
  t.same(valueTicks(0.6).ticks, [0, 0.2, 0.4, 0.6], 'without the dust of binary fractions');
  t.equal(roundUp(Number.NaN), 1);
});

t.test('times on an axis are round ones, in their range, and not too many', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 * 365 * 24 * 3600 }), (seconds) => {
      const ticks = timeTicks(atMs, atMs + seconds * 1000);
      return ticks.length <= 5 && ticks.every((tick) => tick.atMs >= atMs && tick.label !== '');
    }),
  );
  const day = timeTicks(atMs, atMs + 24 * hourMs).map(({ label }) => label);
  t.same(day, ['06:00', '12:00', '18:00', '23 Nov'], 'a day that begins is named');
  t.same(timeTicks(atMs, atMs), []);
});

t.test('bands stand on each other and stay in the box, whatever the figures are', async () => {
  fc.assert(
    fc.property(samplesArbitrary, (samples) => {
      const series = samples[0]?.values.length ?? 0;
      const { top } = valueTicks(Math.max(0, ...totals(samples)));
      const paths = stackedBands(samples, series, top).map(({ path }) => path);
      const lines = Array.from({ length: series }, (_, at) => linePath(samples, at, top));
      return [...paths, ...lines].every((path) =>
        numbersIn(path).every(
          (value, at) => value >= 0 && value <= (at % 2 ? boxHeight : boxWidth),
        ),
      );
    }),
  );
});

t.test('the bands together reach the sum, and a gap in a line stays a gap', async (t) => {
  const samples: Sample[] = [
    { atMs: 0, values: [10, 30] },
    { atMs: 1000, values: [40, 60] },
  ];
  const [lower, upper] = stackedBands(samples, 2, 100);
  t.equal(lower?.path, 'M0 90L1000 60L1000 100L0 100Z');
  t.equal(upper?.path, 'M0 60L1000 0L1000 60L0 90Z');
  const gapped = [1, 2, undefined, 3, undefined].map((value, at) => ({
    atMs: at,
    values: [value],
  }));
  t.equal(linePath(gapped, 0, 4), 'M0 75L250 50M750 25L750 25', 'and a point alone is a dot');
  t.equal(stackedBands([], 1, 1)[0]?.path, '');
});

t.test('one failed machine of a hundred thousand can be seen', async (t) => {
  const [good, bad, none] = segments([99_999, 1, 0]);
  t.same(
    [good, bad],
    [
      { from: 0, width: 98.8 },
      { from: 98.8, width: 1.2 },
    ],
  );
  t.equal(none?.width, 0, 'what is not there is not drawn');
  t.same(segments([0, 0]), [
    { from: 0, width: 0 },
    { from: 0, width: 0 },
  ]);
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 300 }), (values) => {
      const drawn = segments(values);
      const whole = drawn.reduce((sum, { width }) => sum + width, 0);
      const isWhole = values.every((value) => value === 0) || Math.abs(whole - 100) < 2;
      return isWhole && drawn.every(({ width }, at) => width > 0 === (values[at] ?? 0) > 0);
    }),
  );
});

t.test('shares never say all or nothing when it is not so', async (t) => {
  t.same(
    [shareText(99_999, 100_000), shareText(1, 100_000), shareText(5, 5), shareText(0, 0)],
    ['> 99 %', '< 1 %', '100 %', '-'],
  );
  t.same(
    [numberText(1234), numberText(12_345, true), numberText(2_500_000, true), numberText(0.0421)],
    ['1,234', '12.3k', '2.5M', '0.042'],
  );
  t.equal(timeText(atMs), '2026-11-22 05:17 UTC');
});
