import t from 'tap';
import { CheckInResponse } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { CheckInReader } from '../../../bench/fleet/check-in-news.ts';
import { fc } from '../../support/property.ts';

const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 40 });
const bundle = fc.record({
  manifest: fc.record({
    envoyId: bytes,
    policyVersion: whole,
    bundleRoot: bytes,
    issuedAtMs: whole,
    expiresAtMs: whole,
    secretsEpoch: whole,
  }),
  signature: bytes,
  document: bytes,
});
const answers = fc.record({
  protocolVersion: fc.integer({ min: 0, max: 9 }),
  nextCheckInMs: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  bundle: fc.option(bundle, { nil: undefined, freq: 2 }),
  wantTraits: fc.boolean(),
  wantStream: fc.boolean(),
  storeId: whole,
  settledReportSequence: whole,
  traceparent: fc.constantFrom('', '00-1-2-01'),
});

t.test('every answer means to the generator what it means to an agent', async (t) => {
  const reader = new CheckInReader();
  fc.assert(
    fc.property(answers, fc.integer({ min: 0, max: 20 }), (answer, offset) => {
      const none = { rehearsal: undefined, update: undefined, audit: undefined };
      const encoded = CheckInResponse.encode({ ...answer, ...none }).finish();
      const around = Buffer.concat([Buffer.alloc(offset, 0xff), encoded, Buffer.alloc(9, 0xff)]);
      const news = reader.read(around, offset, offset + encoded.length);
      t.equal(news.nextCheckInMs, answer.nextCheckInMs);
      t.equal(news.wantTraits, answer.wantTraits);
      t.equal(news.settledReportSequence, answer.settledReportSequence);
      t.equal(news.bundle?.manifest?.policyVersion, answer.bundle?.manifest.policyVersion);
    }),
  );
});

t.test('an answer that is cut off is none', async (t) => {
  const reader = new CheckInReader();
  const encoded = Buffer.from(
    CheckInResponse.encode({
      ...{ protocolVersion: 1, nextCheckInMs: 15_000, wantTraits: false, wantStream: false },
      ...{ bundle: undefined, storeId: 77, settledReportSequence: 3, traceparent: '' },
      ...{ rehearsal: undefined, update: undefined, audit: undefined },
    }).finish(),
  );
  t.equal(reader.read(encoded, 0, encoded.length).nextCheckInMs, 15_000);
  for (const missing of [1, 3, 10]) {
    t.throws(() => reader.read(encoded, 0, encoded.length - missing), `${missing} bytes less`);
  }
});
