import { AgentError } from '../errors.ts';
import type { BundleDocument } from './bundle.ts';
import { bundleRoot, decodeBundle } from './bundle-document.ts';
import { equalBytes } from './bytes.ts';
import { bundleDomain, CanonicalWriter } from './canonical.ts';
import { hashLength, type Sha256, type Signer, signatureLength, type Verifier } from './crypto.ts';
import type { BundleManifest } from './gen/vigo/v1/bundle.ts';
import { uuidLength } from './uuid.ts';

/** What a manifest's signature covers; valid until the writer starts again. */
export function manifestBytes(manifest: BundleManifest, writer: CanonicalWriter): Uint8Array {
  return writer
    .start(bundleDomain)
    .bytes(manifest.envoyId)
    .number(manifest.policyVersion)
    .bytes(manifest.bundleRoot)
    .number(manifest.issuedAtMs)
    .number(manifest.expiresAtMs)
    .number(manifest.secretsEpoch)
    .finish();
}

/** The 64 bytes of SignedBundle.signature. */
export function signManifest(manifest: BundleManifest, signer: Signer): Uint8Array {
  return signer.sign(manifestBytes(manifest, new CanonicalWriter()));
}

export interface ManifestExpectation {
  /** 16 bytes. */
  readonly envoyId: Uint8Array;
  /** The pinned key, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly nowMs: number;
  /** What this node has accepted before; a manifest must not lead behind it. */
  readonly held?: { readonly policyVersion: number; readonly secretsEpoch: number };
}

/**
 * Throws, in this order: PROTOCOL_BUNDLE_MALFORMED, _SIGNATURE, _WRONG_ENVOY, _EXPIRED, _ROLLBACK.
 * The signature comes first: what an unsigned manifest says is nobody's word.
 */
export function verifyManifest(
  manifest: BundleManifest,
  signature: Uint8Array,
  expected: ManifestExpectation,
  verifier: Verifier,
): void {
  if (
    manifest.envoyId.length !== uuidLength ||
    manifest.bundleRoot.length !== hashLength ||
    signature.length !== signatureLength
  )
    throw new AgentError('PROTOCOL_BUNDLE_MALFORMED', 'a field of the manifest is incomplete');
  const message = manifestBytes(manifest, new CanonicalWriter());
  if (!verifier.verify(signature, message, expected.publicKey))
    throw new AgentError('PROTOCOL_BUNDLE_SIGNATURE');
  if (!equalBytes(manifest.envoyId, expected.envoyId))
    throw new AgentError('PROTOCOL_BUNDLE_WRONG_ENVOY');
  if (isExpired(manifest, expected.nowMs))
    throw new AgentError(
      'PROTOCOL_BUNDLE_EXPIRED',
      `since ${new Date(manifest.expiresAtMs).toISOString()}`,
    );
  refuseRollback(manifest, expected);
}

export function isExpired(manifest: BundleManifest, nowMs: number): boolean {
  return manifest.expiresAtMs !== 0 && nowMs >= manifest.expiresAtMs;
}

function refuseRollback(manifest: BundleManifest, { held }: ManifestExpectation): void {
  if (held === undefined) return;
  if (manifest.policyVersion < held.policyVersion)
    throw new AgentError(
      'PROTOCOL_BUNDLE_ROLLBACK',
      `version ${manifest.policyVersion}, held is ${held.policyVersion}`,
    );
  if (manifest.secretsEpoch < held.secretsEpoch)
    throw new AgentError(
      'PROTOCOL_BUNDLE_ROLLBACK',
      `secrets epoch ${manifest.secretsEpoch}, held is ${held.secretsEpoch}`,
    );
}

/**
 * Parses the document that a verified manifest names. Throws PROTOCOL_BUNDLE_MALFORMED, or
 * PROTOCOL_BUNDLE_ROOT_MISMATCH when it is not the signed one.
 */
export function verifyDocument(
  bytes: Uint8Array,
  expectedRoot: Uint8Array,
  crypto: Sha256,
): BundleDocument {
  const document = decodeBundle(bytes);
  if (!equalBytes(bundleRoot(document, crypto), expectedRoot))
    throw new AgentError('PROTOCOL_BUNDLE_ROOT_MISMATCH');
  return document;
}
