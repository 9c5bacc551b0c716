import t from 'tap';
import { DueHeap } from '../../../bench/fleet/due-heap.ts';
import { fc } from '../../support/property.ts';

t.test('whoever is due first is served first, however they came', async (t) => {
  const times = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(times, (dues) => {
      const heap = new DueHeap(dues.length);
      t.equal(heap.earliestMs, Number.POSITIVE_INFINITY);
      for (const [at, due] of dues.entries()) heap.push(at, due);
      const served = new Set<number>();
      let last = 0;
      while (heap.earliestMs < Number.POSITIVE_INFINITY) {
        const earliest = heap.earliestMs;
        const at = heap.pop() ?? -1;
        t.equal(heap.dueOf(at), earliest);
        t.ok(earliest >= last);
        last = earliest;
        // Half of them come again, later.
        if (!served.has(at) && at % 2 === 0) heap.push(at, earliest + (at % 7));
        served.add(at);
      }
      t.equal(served.size, dues.length, 'nobody is forgotten');
      t.equal(heap.pop(), undefined);
    }),
  );
});
