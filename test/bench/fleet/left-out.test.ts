import t from 'tap';
import { LeftOut } from '../../../bench/fleet/left-out.ts';
import { fc } from '../../support/property.ts';

t.test('a slower pace silences nobody, and is as slow as it was asked to be', async (t) => {
  const starts = fc.double({ min: 0, max: 0.999, noNaN: true });
  const paces = fc.double({ min: 0.1, max: 100, noNaN: true });
  fc.assert(
    fc.property(starts, paces, (start, every) => {
      const leftOut = new LeftOut(start);
      const turns = Array.from({ length: 1000 }, () => leftOut.next(every));
      t.notOk(
        turns.some((left, at) => left && turns[at + 1] === true),
        'never two in a row',
      );
      const share = turns.filter((left) => left).length / turns.length;
      const wanted = 1 - 1 / Math.min(2, Math.max(1, every));
      t.ok(Math.abs(share - wanted) <= 0.002, `${share} of ${wanted}`);
    }),
    { numRuns: 50 },
  );
});
