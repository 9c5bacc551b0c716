import t from 'tap';
import { nodeSigner, nodeVerifier } from '../../../agent/platform/crypto.ts';
import type { SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import { clockSkewLimitMs } from '../../../agent/protocol/limits.ts';
import { RequestSigner, RequestVerifier } from '../../../agent/protocol/request.ts';

const signer = nodeSigner(new Uint8Array(32).fill(1));
const stranger = nodeSigner(new Uint8Array(32).fill(2));
const now = 1_790_000_000_000;
const header = {
  envoyId: new Uint8Array(16).fill(3),
  timestampMs: now,
  sequence: 10,
  traceparent: '',
};
const body = new Uint8Array([1, 2, 3]);
const good = new RequestSigner(signer).sign('CheckIn', header, body);

function verdict(request: SignedRequest, lastSequence = 9, nowMs = now): string {
  const verifier = new RequestVerifier(nodeVerifier());
  return verifier.verify('CheckIn', request, signer.publicKey, lastSequence, nowMs);
}

t.test('an honest request is accepted, also at the edge of the clock window', async (t) => {
  t.equal(verdict(good), 'ok');
  t.equal(verdict(good, 9, now + clockSkewLimitMs), 'ok');
  t.equal(verdict({ ...good, traceparent: 'changed by a proxy' }), 'ok');
});

t.test('every signed field is bound: changing any one is refused', async (t) => {
  const other = new Uint8Array(16).fill(4);
  t.equal(verdict({ ...good, envoyId: other }), 'signature');
  t.equal(verdict({ ...good, timestampMs: now + 1 }), 'signature');
  t.equal(verdict({ ...good, sequence: 11 }), 'signature');
  t.equal(verdict({ ...good, body: new Uint8Array([1, 2, 4]) }), 'signature');
  t.equal(verdict(new RequestSigner(stranger).sign('CheckIn', header, body)), 'signature');
  t.equal(verdict(new RequestSigner(signer).sign('Report', header, body)), 'signature');
});

t.test('replays, clock skew, versions and impossible fields have names of their own', async (t) => {
  t.equal(verdict(good, 10), 'replayed');
  t.equal(verdict(good, 11), 'replayed');
  t.equal(verdict(good, 9, now + clockSkewLimitMs + 1), 'clock-skew');
  t.equal(verdict(good, 9, now - clockSkewLimitMs - 1), 'clock-skew');
  t.equal(verdict({ ...good, protocolVersion: 2 }), 'version');
  t.equal(verdict({ ...good, envoyId: new Uint8Array(15) }), 'malformed');
  t.equal(verdict({ ...good, signature: new Uint8Array(63) }), 'malformed');
  t.equal(verdict({ ...good, sequence: 0 }), 'malformed');
  t.equal(verdict({ ...good, body: new Uint8Array(5000) }), 'malformed');
});

t.test('a verdict does not depend on the requests before it', async (t) => {
  const verifier = new RequestVerifier(nodeVerifier());
  const verify = (request: SignedRequest): string =>
    verifier.verify('CheckIn', request, signer.publicKey, 9, now);
  t.same([good, { ...good, sequence: 11 }, good].map(verify), ['ok', 'signature', 'ok']);
});
