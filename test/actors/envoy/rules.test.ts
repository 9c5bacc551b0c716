import t from 'tap';
import { nextCheckInMs } from '../../../actors/envoy/pacing.ts';
import { EnvoyRecord, envoyRecordSize, envoyTable } from '../../../actors/envoy/record.ts';
import {
  acceptRequest,
  bundleFor,
  knownSame,
  recordCheckIn,
  refuseEnvoy,
  refuseVerdict,
  renewalDue,
  seenEveryMs,
} from '../../../actors/envoy/rules.ts';
import { generateKeyPem, nodeVerifier, pemSigner } from '../../../agent/platform/crypto.ts';
import { CheckInRequest } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { clockSkewLimitMs } from '../../../agent/protocol/limits.ts';
import { RequestSigner, RequestVerifier } from '../../../agent/protocol/request.ts';
import { fc } from '../../support/property.ts';
import { emptyOf } from '../../support/test-envoy.ts';

const nowMs = 1_900_000_000_000;
const day = 86_400_000;
const root = Buffer.alloc(32, 7);
const otherRoot = Buffer.alloc(32, 8);
const identity = {
  hostname: 'web-1',
  publicKey: new Uint8Array(32),
  revoked: false,
  settledReportSequence: 0,
};

t.test('the hot record survives its own encoding, and foreign bytes are lost state', async (t) => {
  const record = EnvoyRecord.empty();
  record.state = 3;
  record.sequence = Number.MAX_SAFE_INTEGER;
  record.lastSeenMs = nowMs;
  record.agentVersion = '1.2.3-a-very-long-version-name-that-is-cut-somewhere';
  record.setAgentRoot(root);
  record.revoked = true;
  const { codec } = envoyTable;
  const again = codec.decode(codec.encode(record));
  t.equal(again.sequence, Number.MAX_SAFE_INTEGER);
  t.equal(again.agentVersion, '1.2.3-a-very-long-version-name-t');
  t.ok(again.agentRootEquals(root));
  t.notOk(again.agentRootEquals(otherRoot));
  t.ok(again.revoked);
  t.equal(codec.encode(record).length, envoyRecordSize);
  t.ok(envoyRecordSize <= 200, 'a million of them fit in memory');
  t.equal(codec.decode(Buffer.alloc(3)).sequence, 0);
  t.equal(codec.decode(Buffer.alloc(envoyRecordSize, 9)).sequence, 0);
});

t.test(
  'replayed, reordered, late and forged requests never get in, whatever the order',
  async () => {
    const signer = new RequestSigner(pemSigner(generateKeyPem()));
    const key = pemSigner(generateKeyPem());
    const honest = new RequestSigner(key);
    const verifier = new RequestVerifier(nodeVerifier());
    const attempt = fc.record({
      sequence: fc.integer({ min: 1, max: 12 }),
      skewMs: fc.constantFrom(
        0,
        1000,
        -clockSkewLimitMs,
        clockSkewLimitMs + 1,
        -2 * clockSkewLimitMs,
      ),
      forged: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 20 }), (attempts) => {
        const record = EnvoyRecord.empty();
        let highest = 0;
        return attempts.every(({ sequence, skewMs, forged }) => {
          const header = {
            envoyId: new Uint8Array(16),
            timestampMs: nowMs + skewMs,
            sequence,
            traceparent: '',
          };
          const request = (forged ? signer : honest).sign('CheckIn', header, new Uint8Array(3));
          const verdict = verifier.verify(
            'CheckIn',
            request,
            key.publicKey,
            record.sequence,
            nowMs,
          );
          const expected = !forged && Math.abs(skewMs) <= clockSkewLimitMs && sequence > highest;
          if (verdict === 'ok') {
            acceptRequest(record, request, nowMs);
            highest = sequence;
          } else if (
            !refuseVerdict(verdict, request, record, nowMs, clockSkewLimitMs).code.startsWith(
              'REQUEST_',
            )
          ) {
            return false;
          }
          return (verdict === 'ok') === expected;
        });
      }),
      { numRuns: 100 },
    );
  },
);

t.test('an unknown or revoked machine is refused before any cryptography', async (t) => {
  const record = EnvoyRecord.empty();
  t.equal(refuseEnvoy('e', record, undefined)?.code, 'REQUEST_ENVOY_UNKNOWN');
  t.equal(refuseEnvoy('e', record, { ...identity, revoked: true })?.code, 'REQUEST_ENVOY_REVOKED');
  t.equal(refuseEnvoy('e', record, identity), undefined);
  record.revoked = true;
  t.equal(refuseEnvoy('e', record, identity)?.code, 'REQUEST_ENVOY_REVOKED');
});

t.test('the machine gets as much of the policy as it lacks', async (t) => {
  const has = (change: Partial<CheckInRequest>) => ({
    ...emptyOf(CheckInRequest),
    policyVersion: 4,
    bundleRoot: root,
    bundleExpiresAtMs: nowMs + day,
    ...change,
  });
  const policy = { version: 4, root };
  t.equal(bundleFor(has({}), policy, day, nowMs), 'same');
  t.equal(bundleFor(has({ policyVersion: 3 }), policy, day, nowMs), 'manifest', 'same content');
  t.equal(bundleFor(has({ bundleRoot: otherRoot }), policy, day, nowMs), 'document', 'tampered');
  t.equal(bundleFor(has({ bundleRoot: Buffer.alloc(0) }), policy, day, nowMs), 'document', 'new');
  t.equal(bundleFor(has({}), { version: 0, root: undefined }, day, nowMs), 'same', 'no policy');
  const soon = { bundleExpiresAtMs: nowMs + day / 2 - 1 };
  t.equal(bundleFor(has(soon), policy, day, nowMs), 'manifest', 'renewed at half its life');
  t.ok(renewalDue(0, day, nowMs), 'a manifest for ever is replaced when that is no longer wanted');
  t.ok(renewalDue(nowMs + day, 0, nowMs), 'and the other way round');
  t.notOk(renewalDue(0, 0, nowMs));
});

t.test('a machine that is known to be up to date costs no look-up', async (t) => {
  const record = EnvoyRecord.empty();
  const body: CheckInRequest = { ...emptyOf(CheckInRequest), policyVersion: 4, bundleRoot: root };
  const current = { version: 4, revision: 9 };
  t.notOk(knownSame(record, body, current), 'not before it was looked up once');
  record.servedRevision = 9;
  record.setServedRoot(root);
  t.ok(knownSame(record, body, current));
  t.notOk(knownSame(record, body, { version: 5, revision: 10 }), 'a publish changes it');
  t.notOk(knownSame(record, body, { version: 4, revision: 10 }), 'so does a stage of a rollout');
  t.notOk(knownSame(record, { ...body, bundleRoot: otherRoot }, current));
});

t.test('the database hears of a machine at every change and else once a minute', async (t) => {
  const record = EnvoyRecord.empty();
  const body: CheckInRequest = { ...emptyOf(CheckInRequest), state: 1, agentVersion: '1' };
  const told = (atMs: number, change: Partial<CheckInRequest> = {}) => {
    const news = recordCheckIn(record, { ...body, ...change }, atMs);
    if (news !== 'none') record.seenEmittedMs = atMs;
    return news;
  };
  t.equal(told(nowMs), 'changed', 'nobody has heard of it yet');
  t.equal(told(nowMs + 5000), 'none');
  t.equal(told(nowMs + 6000, { state: 3 }), 'changed');
  t.equal(told(nowMs + 7000, { state: 3 }), 'none');
  t.equal(told(nowMs + 6000 + seenEveryMs, { state: 3 }), 'seen');
  recordCheckIn(record, { ...body, state: 1 }, nowMs + 90_000);
  const again = recordCheckIn(record, { ...body, state: 1 }, nowMs + 95_000);
  t.equal(again, 'changed', 'a change stays news until it was told');
});

t.test('a fleet that comes back after a pause does not bury the database in events', async (t) => {
  const record = EnvoyRecord.empty();
  const body: CheckInRequest = { ...emptyOf(CheckInRequest), state: 1, agentVersion: '1' };
  const checkIn = (atMs: number) => {
    acceptRequest(record, { timestampMs: atMs, sequence: atMs }, atMs, 30_000);
    const news = recordCheckIn(record, body, atMs);
    if (news !== 'none') record.seenEmittedMs = atMs;
    return news;
  };
  t.equal(checkIn(nowMs), 'changed');
  t.equal(checkIn(nowMs + 15_000), 'none');
  t.equal(checkIn(nowMs + 50_000), 'seen', 'it may have been called offline');
  t.equal(checkIn(nowMs + 65_000), 'none');
});

t.test('a fleet spreads evenly over the interval and then keeps its rhythm', async (t) => {
  const intervalMs = 15_000;
  const uuid = fc.uuid();
  fc.assert(
    fc.property(uuid, fc.integer({ min: 0, max: 10 ** 9 }), (envoyId, offset) => {
      const first = nextCheckInMs(envoyId, nowMs + offset, intervalMs);
      const at = nowMs + offset + first;
      const late = 40;
      const second = nextCheckInMs(envoyId, at + late, intervalMs);
      return (
        first >= intervalMs / 2 - 1 &&
        first <= intervalMs * 1.5 + 1 &&
        Math.abs(second - (intervalMs - late)) <= 1
      );
    }),
  );
  const slots = new Array<number>(10).fill(0);
  const ids = fc.sample(uuid, { numRuns: 5000, seed: 7 });
  for (const id of ids) {
    const due = (nowMs + nextCheckInMs(id, nowMs, intervalMs)) % intervalMs;
    slots[Math.floor((due / intervalMs) * 10)]! += 1;
  }
  t.ok(
    slots.every((count) => count > 400 && count < 600),
    `even: ${slots.join(' ')}`,
  );
});
