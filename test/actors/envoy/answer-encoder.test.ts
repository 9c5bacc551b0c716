import t from 'tap';
import { AnswerEncoder } from '../../../actors/envoy/answer-encoder.ts';
import { CheckInResponse } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { fc } from '../../support/property.ts';
import { emptyOf } from '../../support/test-envoy.ts';

const answers = fc.record({
  nextCheckInMs: fc.nat(),
  storeId: fc.nat(),
  settledReportSequence: fc.nat(),
  wantTraits: fc.boolean(),
  traceparent: fc.string({ maxLength: 30_000 }),
});

t.test('an answer never has bytes of the one before it', async () => {
  fc.assert(
    fc.property(fc.array(answers, { maxLength: 8 }), (given) => {
      const encoder = new AnswerEncoder();
      return given.every((fields) => {
        const answer = { ...emptyOf(CheckInResponse), ...fields };
        const expected = CheckInResponse.encode(answer).finish();
        return Buffer.compare(encoder.encode(answer), expected) === 0;
      });
    }),
  );
});

t.test('an answer that cannot be encoded leaves nothing behind', async (t) => {
  const encoder = new AnswerEncoder();
  const plain = { ...emptyOf(CheckInResponse), nextCheckInMs: 5000, traceparent: 'x' };
  encoder.encode(plain);
  t.throws(() => encoder.encode({ ...plain, storeId: 'none' as unknown as number }));
  t.same(encoder.encode(plain), CheckInResponse.encode(plain).finish());
});
