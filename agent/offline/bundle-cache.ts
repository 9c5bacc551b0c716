import { AgentError } from '../errors.ts';
import type { BundleDocument } from '../protocol/bundle.ts';
import { equalBytes } from '../protocol/bytes.ts';
import type { Verifier } from '../protocol/crypto.ts';
import { type BundleManifest, SignedBundle } from '../protocol/gen/vigo/v1/bundle.ts';
import { type ManifestExpectation, verifyDocument, verifyManifest } from '../protocol/manifest.ts';
import { decodeChecked, encodeChecked } from './checked-file.ts';
import type { StateFiles } from './state-files.ts';

export const bundleFileName = 'bundle';

/** A policy that has been verified. */
export interface HeldPolicy {
  readonly manifest: BundleManifest;
  readonly document: BundleDocument;
}

/** The signed policy on disk. It is believed no more than one from the wire: every load verifies. */
export class BundleCache {
  readonly #files: StateFiles;
  readonly #verifier: Verifier;
  /** What the same bytes gave the last time, so that an unchanged file is not parsed again. */
  #last: { readonly stored: Uint8Array; readonly policy: HeldPolicy } | undefined;

  constructor(files: StateFiles, verifier: Verifier) {
    this.#files = files;
    this.#verifier = verifier;
  }

  /**
   * Undefined when there is none. Throws AGENT_CACHE_ALTERED when the file is not what was stored or
   * leads behind what was held. Whether its time is over is for the caller to ask: an expired policy
   * is not enforced, but the server can renew it without sending it again.
   */
  async load(expectedNow: Omit<ManifestExpectation, 'nowMs'>): Promise<HeldPolicy | undefined> {
    const stored = await this.#files.read(bundleFileName);
    if (stored === undefined) return undefined;
    const signed = decodeStored(stored);
    const expected = { ...expectedNow, nowMs: 0 };
    try {
      const last = this.#last;
      if (last !== undefined && equalBytes(last.stored, stored)) {
        this.#verifyManifest(signed, expected);
        return last.policy;
      }
      const policy = this.#verify(signed, signed.document, expected);
      this.#last = { stored, policy };
      return policy;
    } catch (error) {
      throw altered(error);
    }
  }

  /**
   * Verifies what the server sent and stores it durably. An answer without a document means that
   * the cached one still holds. Throws PROTOCOL_BUNDLE codes. `store` makes it durable, or rejects
   * with AGENT_STATE_WRITE while `policy` may be enforced all the same.
   */
  async adopt(
    bundle: SignedBundle,
    expected: ManifestExpectation,
  ): Promise<{ policy: HeldPolicy; store: () => Promise<void> }> {
    const document = bundle.document.length > 0 ? bundle.document : await this.#heldDocument();
    const policy = this.#verify(bundle, document, expected);
    const whole = SignedBundle.encode({ ...bundle, document }).finish();
    return { policy, store: () => this.#files.replace(bundleFileName, encodeChecked(whole)) };
  }

  async #heldDocument(): Promise<Uint8Array> {
    const stored = await this.#files.read(bundleFileName);
    return stored === undefined ? empty : decodeStored(stored).document;
  }

  async clear(): Promise<void> {
    await this.#files.remove(bundleFileName);
  }

  #verify(signed: SignedBundle, document: Uint8Array, expected: ManifestExpectation): HeldPolicy {
    const manifest = this.#verifyManifest(signed, expected);
    return { manifest, document: verifyDocument(document, manifest.bundleRoot, this.#verifier) };
  }

  #verifyManifest(signed: SignedBundle, expected: ManifestExpectation): BundleManifest {
    const { manifest } = signed;
    if (manifest === undefined) throw new AgentError('PROTOCOL_BUNDLE_MALFORMED', 'no manifest');
    verifyManifest(manifest, signed.signature, expected, this.#verifier);
    return manifest;
  }
}

const empty = new Uint8Array(0);

function decodeStored(stored: Uint8Array): SignedBundle {
  const content = decodeChecked(stored);
  if (content === undefined) throw altered('checksum');
  try {
    return SignedBundle.decode(content);
  } catch (error) {
    throw altered(error);
  }
}

function altered(cause: unknown): AgentError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new AgentError('AGENT_CACHE_ALTERED', detail, { cause });
}
