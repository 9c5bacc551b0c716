import { AgentError } from '../errors.ts';
import type { BundleDocument } from './bundle.ts';
import { equalBytes } from './bytes.ts';
import { CanonicalWriter, rehearsalDomain } from './canonical.ts';
import { hashLength, type Signer, signatureLength, type Verifier } from './crypto.ts';
import type { RehearsalManifest, SignedRehearsal } from './gen/vigo/v1/bundle.ts';
import { verifyDocument } from './manifest.ts';
import { uuidLength } from './uuid.ts';

/** What a rehearsal's signature covers; valid until the writer starts again. */
export function rehearsalBytes(manifest: RehearsalManifest, writer: CanonicalWriter): Uint8Array {
  return writer
    .start(rehearsalDomain)
    .bytes(manifest.planId)
    .bytes(manifest.envoyId)
    .bytes(manifest.bundleRoot)
    .number(manifest.issuedAtMs)
    .number(manifest.expiresAtMs)
    .finish();
}

/** The 64 bytes of SignedRehearsal.signature. */
export function signRehearsal(manifest: RehearsalManifest, signer: Signer): Uint8Array {
  return signer.sign(rehearsalBytes(manifest, new CanonicalWriter()));
}

export interface RehearsalExpectation {
  /** 16 bytes. */
  readonly envoyId: Uint8Array;
  /** The pinned key, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly nowMs: number;
}

/** A candidate that the server really asked this node to dry-run. */
export interface VerifiedRehearsal {
  readonly manifest: RehearsalManifest;
  readonly document: BundleDocument;
}

/**
 * Throws, in this order: PROTOCOL_BUNDLE_MALFORMED, _SIGNATURE, _WRONG_ENVOY, _EXPIRED,
 * _ROOT_MISMATCH. There is no rollback to refuse: nothing of it is ever enforced.
 */
export function verifyRehearsal(
  rehearsal: SignedRehearsal,
  expected: RehearsalExpectation,
  verifier: Verifier,
): VerifiedRehearsal {
  const { manifest, signature, document } = rehearsal;
  if (
    manifest?.planId.length !== uuidLength ||
    manifest.envoyId.length !== uuidLength ||
    manifest.bundleRoot.length !== hashLength ||
    signature.length !== signatureLength
  )
    throw new AgentError('PROTOCOL_BUNDLE_MALFORMED', 'a field of the rehearsal is incomplete');
  const message = rehearsalBytes(manifest, new CanonicalWriter());
  if (!verifier.verify(signature, message, expected.publicKey))
    throw new AgentError('PROTOCOL_BUNDLE_SIGNATURE');
  if (!equalBytes(manifest.envoyId, expected.envoyId))
    throw new AgentError('PROTOCOL_BUNDLE_WRONG_ENVOY');
  if (expected.nowMs >= manifest.expiresAtMs)
    throw new AgentError(
      'PROTOCOL_BUNDLE_EXPIRED',
      `since ${new Date(manifest.expiresAtMs).toISOString()}`,
    );
  return { manifest, document: verifyDocument(document, manifest.bundleRoot, verifier) };
}
