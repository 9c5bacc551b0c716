import { AgentError } from '../errors.ts';
import { compareVersions } from '../policy/when/versions.ts';
import { equalBytes } from './bytes.ts';
import { CanonicalWriter, releaseDomain, updateDomain } from './canonical.ts';
import {
  hashLength,
  publicKeyLength,
  type Sha256,
  type Signer,
  sha256,
  signatureLength,
  type Verifier,
} from './crypto.ts';
import type {
  ReleaseManifest,
  SignedRelease,
  SignedUpdate,
  UpdateOrder,
} from './gen/vigo/v1/release.ts';
import { releaseLimits } from './limits.ts';
import { uuidLength } from './uuid.ts';

/** Versions name directories and stand in scripts: nothing else may be in them. */
export const releaseVersionForm = /^(?=.{5,32}$)\d+\.\d+\.\d+[0-9A-Za-z.+-]*$/;
export const releasePlatformForm = /^[a-z0-9]{2,16}-[a-z0-9]{2,16}$/;

/** What the signature of a release covers; valid until the writer starts again. */
export function releaseBytes(manifest: ReleaseManifest, writer: CanonicalWriter): Uint8Array {
  const { downgradeFrom, releaseKeys } = manifest;
  writer
    .start(releaseDomain)
    .text(manifest.version)
    .text(manifest.platform)
    .number(manifest.size)
    .bytes(manifest.sha256)
    .number(manifest.downloadSize)
    .bytes(manifest.downloadSha256)
    .text(manifest.minimumAgent)
    .number(downgradeFrom.length);
  for (const version of downgradeFrom) writer.text(version);
  writer.number(manifest.createdAtMs).number(releaseKeys.length);
  for (const key of releaseKeys) writer.bytes(key);
  return writer.finish();
}

/** What the signature of an order covers; valid until the writer starts again. */
export function updateBytes(order: UpdateOrder, writer: CanonicalWriter): Uint8Array {
  return writer
    .start(updateDomain)
    .bytes(order.envoyId)
    .text(order.version)
    .number(order.issuedAtMs)
    .number(order.expiresAtMs)
    .number(order.trialCheckIns)
    .number(order.trialSeconds)
    .finish();
}

/** The 64 bytes of SignedRelease.signature. */
export function signRelease(manifest: ReleaseManifest, signer: Signer): Uint8Array {
  return signer.sign(releaseBytes(manifest, new CanonicalWriter()));
}

/** The 64 bytes of SignedUpdate.signature. */
export function signUpdate(order: UpdateOrder, signer: Signer): Uint8Array {
  return signer.sign(updateBytes(order, new CanonicalWriter()));
}

/** Names one release for ever: what failed under this digest is not tried again. */
export function releaseDigest(manifest: ReleaseManifest, crypto: Sha256): Uint8Array {
  return sha256(crypto, releaseBytes(manifest, new CanonicalWriter()));
}

/** Why a manifest is not one, whoever signed it; undefined when it is. */
export function releaseProblem(manifest: ReleaseManifest): string | undefined {
  const { version, platform, minimumAgent, downgradeFrom, releaseKeys } = manifest;
  const { programBytes, listEntries } = releaseLimits;
  const versions = [version, ...(minimumAgent === '' ? [] : [minimumAgent]), ...downgradeFrom];
  const bad = versions.find((text) => !releaseVersionForm.test(text));
  if (bad !== undefined) return `"${bad}" is not a version`;
  if (!releasePlatformForm.test(platform)) return `"${platform}" is not a platform`;
  const sizes = [manifest.size, manifest.downloadSize];
  if (sizes.some((size) => !Number.isSafeInteger(size) || size < 1 || size > programBytes))
    return `a size is not between 1 and ${programBytes} bytes`;
  if ([manifest.sha256, manifest.downloadSha256].some(({ length }) => length !== hashLength))
    return 'a hash is not one of SHA-256';
  if (releaseKeys.some(({ length }) => length !== publicKeyLength))
    return 'a release key is not one of Ed25519';
  if (Math.max(downgradeFrom.length, releaseKeys.length) > listEntries)
    return `a list has more than ${listEntries} entries`;
  return manifest.createdAtMs > 0 ? undefined : 'it does not say when it was made';
}

/** Throws PROTOCOL_RELEASE_MALFORMED, then _SIGNATURE: signed by none of `keys`, 32 bytes each. */
export function verifyRelease(
  { manifest, signature }: SignedRelease,
  keys: readonly Uint8Array[],
  verifier: Verifier,
): ReleaseManifest {
  const problem = manifest === undefined ? 'it is empty' : releaseProblem(manifest);
  if (manifest === undefined || problem !== undefined || signature.length !== signatureLength)
    throw new AgentError('PROTOCOL_RELEASE_MALFORMED', problem ?? 'the signature is incomplete');
  const message = releaseBytes(manifest, new CanonicalWriter());
  if (!keys.some((key) => verifier.verify(signature, message, key)))
    throw new AgentError('PROTOCOL_RELEASE_SIGNATURE', `version ${manifest.version}`);
  return manifest;
}

export interface UpdateExpectation {
  /** 16 bytes. */
  readonly envoyId: Uint8Array;
  /** The pinned key that signs orders, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The pinned keys that sign releases. */
  readonly releaseKeys: readonly Uint8Array[];
  readonly platform: string;
  /** What runs now. */
  readonly agentVersion: string;
  readonly nowMs: number;
}

export interface VerifiedUpdate {
  readonly order: UpdateOrder;
  readonly manifest: ReleaseManifest;
}

/**
 * Throws, in this order: PROTOCOL_UPDATE_MALFORMED, _SIGNATURE, _WRONG_ENVOY, _EXPIRED,
 * PROTOCOL_RELEASE_PLATFORM, _MALFORMED, _SIGNATURE, _MINIMUM, _DOWNGRADE.
 */
export function verifyUpdate(
  update: SignedUpdate,
  expected: UpdateExpectation,
  verifier: Verifier,
): VerifiedUpdate {
  const order = verifyOrder(update, expected, verifier);
  const own = update.releases.find(({ manifest }) => manifest?.platform === expected.platform);
  if (own === undefined)
    throw new AgentError('PROTOCOL_RELEASE_PLATFORM', `${order.version} for ${expected.platform}`);
  const manifest = verifyRelease(own, expected.releaseKeys, verifier);
  if (manifest.version !== order.version)
    throw new AgentError('PROTOCOL_RELEASE_MALFORMED', `ordered is ${order.version}`);
  refuseStep(manifest, expected.agentVersion);
  return { order, manifest };
}

function verifyOrder(
  { order, signature }: SignedUpdate,
  expected: UpdateExpectation,
  verifier: Verifier,
): UpdateOrder {
  const { trialSeconds, trialCheckIns } = releaseLimits;
  if (
    order?.envoyId.length !== uuidLength ||
    signature.length !== signatureLength ||
    !(order.trialSeconds >= 1 && order.trialSeconds <= trialSeconds) ||
    !(order.trialCheckIns >= 1 && order.trialCheckIns <= trialCheckIns)
  )
    throw new AgentError('PROTOCOL_UPDATE_MALFORMED');
  if (!verifier.verify(signature, updateBytes(order, new CanonicalWriter()), expected.publicKey))
    throw new AgentError('PROTOCOL_UPDATE_SIGNATURE');
  if (!equalBytes(order.envoyId, expected.envoyId))
    throw new AgentError('PROTOCOL_UPDATE_WRONG_ENVOY');
  if (expected.nowMs >= order.expiresAtMs)
    throw new AgentError(
      'PROTOCOL_UPDATE_EXPIRED',
      `since ${new Date(order.expiresAtMs).toISOString()}`,
    );
  return order;
}

function refuseStep(
  { version, minimumAgent, downgradeFrom }: ReleaseManifest,
  running: string,
): void {
  if (minimumAgent !== '' && compareVersions(running, minimumAgent) < 0)
    throw new AgentError('PROTOCOL_RELEASE_MINIMUM', `${running}, needed is ${minimumAgent}`);
  if (compareVersions(version, running) < 0 && !downgradeFrom.includes(running))
    throw new AgentError('PROTOCOL_RELEASE_DOWNGRADE', `from ${running} to ${version}`);
}
