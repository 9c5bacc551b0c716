import t from 'tap';
import { sodiumVerifier } from '../../../actors/server/crypto/sodium.ts';
import type { SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import { envelope, methods } from '../../../agent/protocol/methods.ts';
import { RequestSigner, RequestVerifier } from '../../../agent/protocol/request.ts';
import {
  frameHeaderLength,
  messagePrefix,
  onStream,
  requestFrames,
} from '../../../bench/fleet/http2-frames.ts';
import { requestHead } from '../../../bench/fleet/http2-headers.ts';
import { SignedAhead } from '../../../bench/fleet/signed-ahead.ts';
import { SignedCheckIn } from '../../../bench/fleet/signed-check-in.ts';
import { signerOf } from '../../../bench/fleet/signing.ts';
import { fc } from '../../support/property.ts';

const head = requestHead(methods.CheckIn.path);
const reportHead = requestHead(methods.Report.path);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const stamps = fc.record({
  streamId: fc.integer({ min: 0, max: 2 ** 29 }).map((half) => 2 * half + 1),
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  timestampMs: fc.integer({ min: 1, max: 2 ** 43 }),
});

t.test('a check-in whose bytes are patched is the one that the contract encodes', async (t) => {
  const bodies = fc.uint8Array({ minLength: 1, maxLength: 400 });
  const runs = fc.array(fc.record({ stamp: stamps, said: fc.option(bodies) }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(bytes(32), bytes(16), bodies, runs, (seed, envoyId, first, times) => {
      const signer = signerOf(seed);
      const signed = new SignedCheckIn(envoyId, first, signer);
      const verifier = new RequestVerifier(sodiumVerifier, Number.MAX_SAFE_INTEGER);
      let body = first;
      for (const { stamp, said } of times) {
        const { streamId, sequence, timestampMs } = stamp;
        if (said !== null) {
          signed.say(said);
          body = said;
        }
        const frames = signed.frames(streamId, sequence, timestampMs);
        const request = requestIn(frames, head);
        const again = requestFrames(streamId, head, envelope.encode(request).finish());
        t.equal(Buffer.compare(frames, again), 0, 'nothing but the contract knows is in it');
        t.match(request, { sequence, timestampMs });
        t.equal(Buffer.compare(request.body, body), 0);
        const { publicKey } = signer;
        t.equal(verifier.verify('CheckIn', request, publicKey, sequence - 1, timestampMs), 'ok');
      }
    }),
    { numRuns: 60 },
  );
});

t.test('what was signed ahead is what would be signed then', async (t) => {
  const changes = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });
  const bodyOf = (lastReport: number) => Buffer.from(`${lastReport}`.padStart(5));
  const property = fc.property(bytes(32), changes, fc.nat(8), (seed, isChanged, reportsMax) => {
    const signer = signerOf(seed);
    const envoyId = Buffer.alloc(16, 7);
    const signed = new SignedCheckIn(envoyId, bodyOf(0), signer);
    const requests = new RequestSigner(signer);
    let asked = 0;
    const plan = { count: isChanged.length, firstSequence: 1000, firstMs: 5000, intervalMs: 100 };
    const ahead = new SignedAhead(
      { ...plan, lastReport: 0, reportsMax, isChanged: () => isChanged[asked++] === true },
      {
        checkIn: (target, { sequence, timestampMs }, lastReport) => {
          signed.say(bodyOf(lastReport));
          signed.sign(target, sequence, timestampMs);
        },
        report: (name, stamp) => {
          const header = { envoyId, ...stamp, traceparent: '' };
          const request = requests.sign('Report', header, bodyOf(name.sequence));
          return requestFrames(1, reportHead, envelope.encode(request).finish());
        },
        newRunId: () => Buffer.alloc(16, 1),
      },
    );
    const verifier = new RequestVerifier(sodiumVerifier, Number.MAX_SAFE_INTEGER);
    const sent = new SignedCheckIn(envoyId, bodyOf(0), signer);
    let lastReport = 0;
    let before = 0;
    const verify = (method: 'CheckIn' | 'Report', request: SignedRequest) => {
      const { sequence, timestampMs } = request;
      t.equal(verifier.verify(method, request, signer.publicKey, before, timestampMs), 'ok');
      before = sequence;
    };
    for (const [at, changed] of isChanged.entries()) {
      t.equal(ahead.holds(lastReport), true);
      t.equal(ahead.holds(lastReport + 1), false, 'another report has come between');
      sent.say(bodyOf(lastReport));
      const request = requestIn(sent.framesAhead(2 * at + 1, ahead), head);
      t.equal(request.timestampMs, 5000 + at * 100);
      verify('CheckIn', request);
      t.equal(ahead.isChanged, changed);
      if (!changed) continue;
      lastReport += 1;
      const { report } = ahead;
      t.equal(report?.name.sequence, lastReport > reportsMax ? undefined : lastReport);
      const sequence = ahead.takeReport();
      t.ok((sequence ?? 0) > before);
      t.equal(ahead.takeReport(), undefined, 'once');
      if (report === undefined) continue;
      const frames = onStream(report.frames, 77);
      t.equal(frames.readUInt32BE(5), 77);
      const reported = requestIn(frames, reportHead);
      t.equal(reported.sequence, sequence);
      verify('Report', reported);
    }
    t.equal(ahead.holds(lastReport), false, 'it has an end');
    t.ok(ahead.endSequence > before);
  });
  fc.assert(property, { numRuns: 60 });
});

function requestIn(frames: Buffer, ofHead: Buffer): SignedRequest {
  return envelope.decode(frames.subarray(2 * frameHeaderLength + ofHead.length + messagePrefix));
}
