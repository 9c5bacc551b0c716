/**
 * Runs one step of a check-in so many times in this thread, for `perf/instructions.ts` to count:
 * `node perf/support/instructions-entry.ts STEP TIMES`. Everything is the server's own code.
 */
import { AnswerEncoder } from '../../actors/envoy/answer-encoder.ts';
import { EnvoyRecord, envoyTable } from '../../actors/envoy/record.ts';
import { sodiumVerifier } from '../../actors/server/crypto/sodium.ts';
import { decodeMessage } from '../../agent/protocol/codec.ts';
import { protocolVersion } from '../../agent/protocol/limits.ts';
import { envelope, methods } from '../../agent/protocol/methods.ts';
import { RequestSigner, RequestVerifier } from '../../agent/protocol/request.ts';
import { checkInBody } from '../../bench/fleet/envoy-bodies.ts';
import { signerOf } from '../../bench/fleet/signing.ts';

const nowMs = 1_800_000_000_000;
const sequence = 2 ** 50;
const policy = { policyVersion: 7, bundleRoot: new Uint8Array(32).fill(3), expiresAtMs: nowMs };
const reports = { highest: 12, oldestHeld: 13 };
const body = checkInBody(policy, new Uint8Array(16).fill(5), reports);
const signer = signerOf(new Uint8Array(32).fill(9));
const header = { envoyId: new Uint8Array(16).fill(1), timestampMs: nowMs, sequence };
const signed = new RequestSigner(signer).sign('CheckIn', { ...header, traceparent: '' }, body);
const bytes = envelope.encode(signed).finish();
const verifier = new RequestVerifier(sodiumVerifier);
const encoder = new AnswerEncoder();
const record = EnvoyRecord.empty();
const answer = {
  ...{ protocolVersion, nextCheckInMs: 15_000, bundle: undefined, wantTraits: false },
  ...{ wantStream: false, storeId: 2 ** 52, settledReportSequence: 12, traceparent: '' },
  ...{ rehearsal: undefined, update: undefined, audit: undefined },
};

const steps: Readonly<Record<string, () => unknown>> = {
  envelope: () => decodeMessage(envelope, bytes, methods.CheckIn.requestLimit),
  body: () => decodeMessage(methods.CheckIn.body, signed.body, methods.CheckIn.bodyLimit),
  verify: () => verifier.verify('CheckIn', signed, signer.publicKey, sequence - 1, nowMs),
  record: () => envoyTable.codec.encode(record.copy()),
  answer: () => encoder.encode(answer),
};

const step = steps[process.argv[2] ?? ''];
if (step === undefined) {
  process.stdout.write(`${Object.keys(steps).join(' ')}\n`);
} else for (let left = Number(process.argv[3]); left > 0; left -= 1) step();
