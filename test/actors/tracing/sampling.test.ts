import t from 'tap';
import { isSampled } from '../../../actors/tracing/sampling.ts';
import { fc } from '../../support/property.ts';

const traceIds = fc.stringMatching(/^[0-9a-f]{32}$/);

t.test('a trace is whole or not there: its id alone decides', async () => {
  fc.assert(
    fc.property(traceIds, fc.integer({ min: 0, max: 1_000_000 }), (traceId, oneIn) => {
      const answer = isSampled(traceId, oneIn);
      return (
        answer === isSampled(traceId, oneIn) && (oneIn !== 1 || answer) && !(oneIn === 0 && answer)
      );
    }),
  );
});

t.test('who asks for more gets the same traces and others', async () => {
  fc.assert(
    fc.property(traceIds, fc.integer({ min: 2, max: 1000 }), (traceId, oneIn) => {
      return !isSampled(traceId, oneIn) || isSampled(traceId, oneIn - 1);
    }),
  );
});

t.test('one in ten is one in ten', async (t) => {
  const ids = Array.from({ length: 1000 }, (_, at) =>
    Math.floor(((at + 0.5) / 1000) * 2 ** 32)
      .toString(16)
      .padStart(32, '0'),
  );
  t.equal(ids.filter((id) => isSampled(id, 10)).length, 100);
});
