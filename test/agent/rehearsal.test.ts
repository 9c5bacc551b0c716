import t from 'tap';
import { nodeVerifier } from '../../agent/platform/crypto.ts';
import { bundleRoot, encodeBundle } from '../../agent/protocol/bundle-document.ts';
import type { SignedRehearsal } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { signManifest } from '../../agent/protocol/manifest.ts';
import { signRehearsal } from '../../agent/protocol/rehearsal.ts';
import { AgentFixture, policyDocument } from './support/agent-fixture.ts';
import { bundleSigner, fakeEnvoyId, signedPolicy } from './support/fake-server-channel.ts';

const planId = new Uint8Array(16).fill(3);

function rehearsal(nowMs: number, change: { planId?: Uint8Array; envoyId?: Uint8Array } = {}) {
  const document = policyDocument('candidate');
  const manifest = {
    planId: Buffer.from(change.planId ?? planId),
    envoyId: Buffer.from(change.envoyId ?? fakeEnvoyId),
    bundleRoot: Buffer.from(bundleRoot(document, nodeVerifier())),
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 60_000,
  };
  const signature = Buffer.from(signRehearsal(manifest, bundleSigner));
  const bytes = Buffer.from(encodeBundle(document));
  return { manifest, signature, document: bytes } satisfies SignedRehearsal;
}

t.test(
  'a candidate is dry-run once after the normal pass, told whole, and kept nowhere',
  async (t) => {
    const fixture = await AgentFixture.start();
    fixture.server.policy = signedPolicy(3, policyDocument());
    await fixture.cycle();
    const stored = new Map(fixture.files.content);
    fixture.server.rehearsal = rehearsal(fixture.nowMs);
    fixture.outcomes = [{ id: 'main/it', action: 'none', errorCode: '' }];
    await fixture.later(20_000);
    await fixture.later(20_000);
    t.same(
      fixture.passes.map(({ dryRun, transient }) => [dryRun === true, transient === true]),
      [
        [false, false],
        [false, false],
        [true, true],
        [false, false],
      ],
      'the server repeats the question until it has the answer; it is answered once',
    );
    t.equal(fixture.passes[2]?.persistTriggers, undefined, 'no trigger is owed for it');
    const answer = fixture.server.reports.at(-1)!;
    t.match(answer, { dryRun: true, policyChanged: false, policyVersion: 3 });
    t.same(Buffer.from(answer.rehearsalPlanId), Buffer.from(planId));
    t.same(Buffer.from(answer.bundleRoot), fixture.server.rehearsal.manifest?.bundleRoot);
    t.same(fixture.files.content.get('bundle'), stored.get('bundle'), 'the cached policy stays');
    const body = fixture.server.checkIns.at(-1)!;
    t.match(body, { policyVersion: 3, state: 1 }, 'and the state is that of the real policy');
  },
);

t.test('another plan is answered too, also of the same candidate', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.rehearsal = rehearsal(fixture.nowMs);
  await fixture.cycle();
  fixture.server.rehearsal = rehearsal(fixture.nowMs, { planId: new Uint8Array(16).fill(4) });
  await fixture.later(20_000);
  t.equal(fixture.passes.length, 2, 'also on a node that has no policy yet');
  t.ok(fixture.passes.every(({ dryRun }) => dryRun));
});

t.test('what was not signed for a rehearsal of this node is refused and told', async (t) => {
  const forged = async (make: (nowMs: number) => SignedRehearsal, code: string) => {
    const fixture = await AgentFixture.start();
    fixture.server.rehearsal = make(fixture.nowMs);
    await fixture.cycle();
    t.equal(fixture.passes.length, 0, code);
    t.match(fixture.server.reports.at(-1)?.incidents, [{ code }]);
  };
  await forged(
    (nowMs) => rehearsal(nowMs, { envoyId: new Uint8Array(16).fill(9) }),
    'PROTOCOL_BUNDLE_WRONG_ENVOY',
  );
  await forged((nowMs) => rehearsal(nowMs - 60_000), 'PROTOCOL_BUNDLE_EXPIRED');
  await forged((nowMs) => {
    const one = rehearsal(nowMs);
    const asPolicy = { ...one.manifest, policyVersion: 1, secretsEpoch: 0 };
    // A policy's signature must never open this door, nor this one's that door.
    return { ...one, signature: Buffer.from(signManifest(asPolicy, bundleSigner)) };
  }, 'PROTOCOL_BUNDLE_SIGNATURE');
  await forged((nowMs) => {
    const one = rehearsal(nowMs);
    return { ...one, document: Buffer.from(encodeBundle(policyDocument('other'))) };
  }, 'PROTOCOL_BUNDLE_ROOT_MISMATCH');
});

t.test('a rehearsal of the wrong root cannot be enforced as a policy', async (t) => {
  const fixture = await AgentFixture.start();
  const { manifest, signature, document } = rehearsal(fixture.nowMs);
  const { planId: _, ...rest } = manifest;
  fixture.server.policy = {
    manifest: { ...rest, policyVersion: 1, secretsEpoch: 0 },
    signature,
    document,
  };
  await fixture.cycle();
  t.equal(fixture.passes.length, 0);
  t.match(fixture.server.reports.at(-1)?.incidents, [{ code: 'PROTOCOL_BUNDLE_SIGNATURE' }]);
});
