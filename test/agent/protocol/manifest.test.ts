import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { nodeSigner, nodeVerifier } from '../../../agent/platform/crypto.ts';
import type { BundleDocument } from '../../../agent/protocol/bundle.ts';
import { bundleRoot, encodeBundle } from '../../../agent/protocol/bundle-document.ts';
import { signManifest, verifyDocument, verifyManifest } from '../../../agent/protocol/manifest.ts';

const signer = nodeSigner(new Uint8Array(32).fill(1));
const verifier = nodeVerifier();
const document: BundleDocument = {
  format: 1,
  modules: [{ name: 'base', vars: { a: 1 }, dependsOn: [], resources: [] }],
  templates: { 'templates/x': 'text' },
};
const root = bundleRoot(document, signer);
const manifest = {
  envoyId: new Uint8Array(16).fill(3),
  policyVersion: 5,
  bundleRoot: root,
  issuedAtMs: 1000,
  expiresAtMs: 2000,
  secretsEpoch: 1,
};
const expected = { envoyId: manifest.envoyId, publicKey: signer.publicKey, nowMs: 1500 };

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return error instanceof AgentError ? error.code : `uncoded ${String(error)}`;
  }
}

function check(
  change: Partial<typeof manifest>,
  expectation: object = {},
  signature?: Uint8Array,
): string {
  const changed = { ...manifest, ...change };
  const signed = signature ?? signManifest(changed, signer);
  return codeOf(() => verifyManifest(changed, signed, { ...expected, ...expectation }, verifier));
}

t.test('a manifest is accepted only for this node, in time, and never backwards', async (t) => {
  t.equal(check({}), 'accepted');
  t.equal(check({ expiresAtMs: 0 }, { nowMs: 9e12 }), 'accepted');
  t.equal(check({}, { held: { policyVersion: 5, secretsEpoch: 1 } }), 'accepted');
  t.equal(check({ envoyId: new Uint8Array(16) }), 'PROTOCOL_BUNDLE_WRONG_ENVOY');
  t.equal(check({}, { nowMs: 2000 }), 'PROTOCOL_BUNDLE_EXPIRED');
  t.equal(check({}, { held: { policyVersion: 6, secretsEpoch: 1 } }), 'PROTOCOL_BUNDLE_ROLLBACK');
  t.equal(check({}, { held: { policyVersion: 5, secretsEpoch: 2 } }), 'PROTOCOL_BUNDLE_ROLLBACK');
  t.equal(check({ bundleRoot: new Uint8Array(3) }), 'PROTOCOL_BUNDLE_MALFORMED');
});

t.test('no field of a manifest can be changed under its signature', async (t) => {
  const signature = signManifest(manifest, signer);
  const changes: Partial<typeof manifest>[] = [
    { envoyId: new Uint8Array(16) },
    { policyVersion: 6 },
    { bundleRoot: new Uint8Array(32) },
    { issuedAtMs: 1001 },
    { expiresAtMs: 0 },
    { secretsEpoch: 2 },
  ];
  for (const change of changes)
    t.equal(check(change, {}, signature), 'PROTOCOL_BUNDLE_SIGNATURE', Object.keys(change).join());
  const foreign = signManifest(manifest, nodeSigner(new Uint8Array(32).fill(2)));
  t.equal(check({}, {}, foreign), 'PROTOCOL_BUNDLE_SIGNATURE');
});

t.test('a document is accepted only as the bytes that were signed', async (t) => {
  const bytes = encodeBundle(document);
  t.same(verifyDocument(bytes, root, verifier), document);
  const text = new TextDecoder().decode(bytes);
  const load = (changed: string): string =>
    codeOf(() => verifyDocument(new TextEncoder().encode(changed), root, verifier));
  t.equal(load(text.replace('"a":1', '"a":2')), 'PROTOCOL_BUNDLE_ROOT_MISMATCH');
  t.equal(load(text.replace('"text"', '"tampered"')), 'PROTOCOL_BUNDLE_ROOT_MISMATCH');
  t.equal(load(` ${text}`), 'PROTOCOL_BUNDLE_MALFORMED');
  t.equal(load(text.replace('"a":1', '"a":1,"a":1')), 'PROTOCOL_BUNDLE_MALFORMED');
  t.equal(load(text.replace('"format":1', '"format":2')), 'PROTOCOL_BUNDLE_MALFORMED');
  t.equal(load(text.slice(0, -1)), 'PROTOCOL_BUNDLE_MALFORMED');
  t.equal(load(text.replace('"resources":[]', '"resources":[{}]')), 'PROTOCOL_BUNDLE_MALFORMED');
});
