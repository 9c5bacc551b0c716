import t from 'tap';
import { sodiumVerifier } from '../../../actors/server/crypto/sodium.ts';
import { envelope, methods } from '../../../agent/protocol/methods.ts';
import { RequestVerifier } from '../../../agent/protocol/request.ts';
import {
  frameHeaderLength,
  messagePrefix,
  requestFrames,
} from '../../../bench/fleet/http2-frames.ts';
import { requestHead } from '../../../bench/fleet/http2-headers.ts';
import { SignedCheckIn } from '../../../bench/fleet/signed-check-in.ts';
import { signerOf } from '../../../bench/fleet/signing.ts';
import { fc } from '../../support/property.ts';

const head = requestHead(methods.CheckIn.path);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const stamps = fc.record({
  streamId: fc.integer({ min: 0, max: 2 ** 29 }).map((half) => 2 * half + 1),
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  timestampMs: fc.integer({ min: 1, max: 2 ** 43 }),
});

t.test('a check-in whose bytes are patched is the one that the contract encodes', async (t) => {
  const bodies = fc.uint8Array({ minLength: 1, maxLength: 400 });
  const runs = fc.array(stamps, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      bytes(32),
      bytes(16),
      bodies,
      runs,
      fc.boolean(),
      (seed, envoyId, body, times, isAhead) => {
        const signer = signerOf(seed);
        const signed = new SignedCheckIn(envoyId, body, signer);
        const verifier = new RequestVerifier(sodiumVerifier, Number.MAX_SAFE_INTEGER);
        for (const { streamId, sequence, timestampMs } of times) {
          const ahead = Buffer.alloc(128);
          signed.sign(ahead.subarray(64), sequence, timestampMs);
          const frames = isAhead
            ? signed.framesSigned({ streamId, sequence, timestampMs }, ahead, 64)
            : signed.frames(streamId, sequence, timestampMs);
          const from = 2 * frameHeaderLength + head.length + messagePrefix;
          const message = frames.subarray(from);
          const request = envelope.decode(message);
          const again = requestFrames(streamId, head, envelope.encode(request).finish());
          t.equal(Buffer.compare(frames, again), 0, 'nothing but the contract knows is in it');
          t.match(request, { sequence, timestampMs });
          const verdict = verifier.verify(
            'CheckIn',
            request,
            signer.publicKey,
            sequence - 1,
            timestampMs,
          );
          t.equal(verdict, 'ok');
        }
      },
    ),
    { numRuns: 60 },
  );
});
