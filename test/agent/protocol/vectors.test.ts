import { readFileSync } from 'node:fs';
import t from 'tap';
import { nodeSigner, nodeVerifier } from '../../../agent/platform/crypto.ts';
import type { BundleDocument } from '../../../agent/protocol/bundle.ts';
import { bundleRoot, encodeBundle } from '../../../agent/protocol/bundle-document.ts';
import { fromHex, toHex } from '../../../agent/protocol/bytes.ts';
import { CanonicalWriter } from '../../../agent/protocol/canonical.ts';
import { WorkItem } from '../../../agent/protocol/gen/vigo/v1/work.ts';
import { manifestBytes, signManifest } from '../../../agent/protocol/manifest.ts';
import type { SignedMethodName } from '../../../agent/protocol/methods.ts';
import { RequestSigner, RequestVerifier } from '../../../agent/protocol/request.ts';
import { RequestBytes } from '../../../agent/protocol/request-bytes.ts';
import { workBytes } from '../../../agent/protocol/work.ts';
import { nobleSigner, nobleVerifier } from './support/noble-crypto.ts';

/**
 * Without these, a change of the signed bytes would lock every enrolled node out of its server
 * after an upgrade, and both sides' own tests would still pass.
 */
function vectors<T>(name: string): T {
  const url = new URL(`../../../agent/protocol/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

const bytes = (hex: string): Uint8Array => fromHex(hex)!;

interface RequestVector {
  seed: string;
  publicKey: string;
  method: SignedMethodName;
  envoyId: string;
  timestampMs: number;
  sequence: number;
  body: string;
  canonical: string;
  signature: string;
}

t.test('requests are signed over the published bytes', async (t) => {
  for (const vector of vectors<RequestVector[]>('request')) {
    const header = {
      envoyId: bytes(vector.envoyId),
      timestampMs: vector.timestampMs,
      sequence: vector.sequence,
      traceparent: '',
    };
    const unsigned = { ...header, protocolVersion: 1, body: bytes(vector.body) };
    const canonical = new RequestBytes(nobleVerifier).of(vector.method, unsigned);
    t.equal(toHex(canonical), vector.canonical);
    for (const make of [nobleSigner, nodeSigner]) {
      const signer = make(bytes(vector.seed));
      t.equal(toHex(signer.publicKey), vector.publicKey);
      const request = new RequestSigner(signer).sign(vector.method, header, bytes(vector.body));
      t.equal(toHex(request.signature), vector.signature);
      for (const verifier of [nobleVerifier, nodeVerifier()])
        t.equal(
          new RequestVerifier(verifier).verify(
            vector.method,
            request,
            signer.publicKey,
            vector.sequence - 1,
            vector.timestampMs,
          ),
          'ok',
        );
    }
  }
});

interface BundleVector {
  seed: string;
  document: BundleDocument;
  encoded: string;
  root: string;
  envoyId: string;
  policyVersion: number;
  issuedAtMs: number;
  expiresAtMs: number;
  secretsEpoch: number;
  canonical: string;
  signature: string;
}

t.test('bundles have the published root and manifest signature', async (t) => {
  for (const vector of vectors<BundleVector[]>('bundle')) {
    t.equal(new TextDecoder().decode(encodeBundle(vector.document)), vector.encoded);
    t.equal(toHex(bundleRoot(vector.document, nobleVerifier)), vector.root);
    const manifest = {
      ...vector,
      envoyId: bytes(vector.envoyId),
      bundleRoot: bytes(vector.root),
    };
    t.equal(toHex(manifestBytes(manifest, new CanonicalWriter())), vector.canonical);
    for (const make of [nobleSigner, nodeSigner])
      t.equal(toHex(signManifest(manifest, make(bytes(vector.seed)))), vector.signature);
  }
});

t.test('dispatches have the published canonical bytes', async (t) => {
  for (const vector of vectors<{ encoded: string; canonical: string }[]>('work'))
    t.equal(
      toHex(workBytes(WorkItem.decode(bytes(vector.encoded)), new CanonicalWriter())),
      vector.canonical,
    );
});
