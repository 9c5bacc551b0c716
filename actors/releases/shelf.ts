import type { Verifier } from '../../agent/protocol/crypto.ts';
import { type ReleaseManifest, SignedRelease } from '../../agent/protocol/gen/vigo/v1/release.ts';
import { releaseLimits, releasePartLimit } from '../../agent/protocol/limits.ts';
import {
  releasePlatformForm,
  releaseProblem,
  releaseVersionForm,
  verifyRelease,
} from '../../agent/protocol/release.ts';
import { ServerError } from '../errors.ts';
import type { ReleaseView, UploadPart } from './messages.ts';
import type { MeasuredArtefact, ReleaseFiles } from './release-files.ts';
import type { RolledOutRelease } from './tables.ts';

/** Releases that one server keeps. */
export const releaseCountLimit = 500;
const signedBytesLimit = 16 * 1024;
const suffix = '.release';
const shownKeyDigits = 16;

/** A release as it stands on disk, its signature verified when it was added. */
export interface ShelvedRelease {
  readonly manifest: ReleaseManifest;
  /** SignedRelease, encoded. */
  readonly signed: Uint8Array;
  readonly signedBy: string;
}

/**
 * The releases on disk: an artefact that agents fetch, its description for the installer, and the signed
 * manifest, which is written last and makes the others count.
 */
export class ReleaseShelf {
  readonly #files: ReleaseFiles;
  /** Keys that releases are signed with, 32 bytes each, and what people call them. */
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly #verifier: Verifier;
  #releases = new Map<string, ShelvedRelease>();

  constructor(files: ReleaseFiles, keys: ReadonlyMap<string, Uint8Array>, verifier: Verifier) {
    this.#files = files;
    this.#keys = keys;
    this.#verifier = verifier;
  }

  /** What is there; a manifest that nobody signs any more is left out. */
  async load(): Promise<void> {
    const found = new Map<string, ShelvedRelease>();
    for (const name of await this.#files.list()) {
      if (!name.endsWith(suffix) || found.size >= releaseCountLimit) continue;
      const signed = await this.#files.read(name);
      const release = signed === undefined ? undefined : this.#readable(signed);
      if (release !== undefined) found.set(keyOf(release.manifest), release);
    }
    this.#releases = found;
  }

  get all(): readonly ShelvedRelease[] {
    return [...this.#releases.values()];
  }

  ofVersion(version: string): readonly ShelvedRelease[] {
    return this.all.filter(({ manifest }) => manifest.version === version);
  }

  get(version: string, platform: string): ShelvedRelease | undefined {
    return this.#releases.get(keyOf({ version, platform }));
  }

  async upload({ version, platform, offset, data }: UploadPart): Promise<number> {
    refuseNames(version, platform);
    const name = uploadName(version, platform);
    const fits = offset === 0 || offset === (await this.#files.size(name));
    const whole = offset + data.length <= releaseLimits.programBytes;
    if (!fits || !whole || data.length > releasePartLimit) {
      const reason = fits ? 'it is too large' : 'a part is missing';
      throw new ServerError('RELEASE_UPLOAD', { reason });
    }
    await this.#files.append(name, offset, data);
    return offset + data.length;
  }

  /** Size and hashes of what was uploaded; without an upload, of what is there. */
  async measure(version: string, platform: string): Promise<MeasuredArtefact> {
    refuseNames(version, platform);
    const uploaded = uploadName(version, platform);
    const name =
      (await this.#files.size(uploaded)) > 0 ? uploaded : artefactName(version, platform);
    if ((await this.#files.size(name)) === 0)
      throw new ServerError('RELEASE_UPLOAD', { reason: 'nothing was uploaded' });
    return await this.#files.measure(name, releaseLimits.programBytes);
  }

  /** Verifies a signed manifest against the artefact and puts both in their places. */
  async put(signed: Uint8Array, measured: MeasuredArtefact): Promise<ShelvedRelease> {
    const { manifest, signedBy } = this.#verified(signed);
    const { version, platform } = manifest;
    const same =
      manifest.size === measured.size &&
      manifest.downloadSize === measured.downloadSize &&
      Buffer.compare(manifest.sha256, measured.sha256) === 0 &&
      Buffer.compare(manifest.downloadSha256, measured.downloadSha256) === 0;
    if (!same) {
      const reason = 'the signed manifest is not that of the artefact';
      throw new ServerError('RELEASE_MALFORMED', { reason });
    }
    const before = this.get(version, platform);
    if (before !== undefined && Buffer.compare(before.manifest.sha256, manifest.sha256) !== 0)
      throw new ServerError('RELEASE_EXISTS', { version, platform });
    if (before === undefined && this.#releases.size >= releaseCountLimit) {
      const reason = `there are ${releaseCountLimit} already`;
      throw new ServerError('RELEASE_MALFORMED', { reason });
    }
    const uploaded = uploadName(version, platform);
    if ((await this.#files.size(uploaded)) > 0)
      await this.#files.rename(uploaded, artefactName(version, platform));
    const sha256 = Buffer.from(manifest.sha256).toString('hex');
    const description = { version, platform, bytes: manifest.size, sha256 };
    const json = new TextEncoder().encode(`${JSON.stringify(description)}\n`);
    await this.#files.write(`${baseName(version, platform)}.json`, json);
    await this.#files.write(`${baseName(version, platform)}${suffix}`, signed);
    const release = { manifest, signed, signedBy };
    this.#releases.set(keyOf(manifest), release);
    return release;
  }

  async remove({ manifest: { version, platform } }: ShelvedRelease): Promise<void> {
    for (const end of [suffix, '.json', '.gz', '.xz'])
      await this.#files.remove(`${baseName(version, platform)}${end}`);
    this.#releases.delete(keyOf({ version, platform }));
  }

  #readable(signed: Uint8Array): ShelvedRelease | undefined {
    try {
      return this.#verified(signed);
    } catch {
      return undefined;
    }
  }

  #verified(signed: Uint8Array): ShelvedRelease {
    let release: SignedRelease;
    try {
      if (signed.length > signedBytesLimit) throw new Error('it is too large');
      release = SignedRelease.decode(signed);
    } catch (cause) {
      const reason = `the signed manifest cannot be read: ${String(cause)}`;
      throw new ServerError('RELEASE_MALFORMED', { reason }, { cause });
    }
    const { manifest } = release;
    const reason = manifest === undefined ? 'it is empty' : releaseProblem(manifest);
    if (manifest === undefined || reason !== undefined)
      throw new ServerError('RELEASE_MALFORMED', { reason: reason ?? '' });
    for (const [signedBy, key] of this.#keys) {
      try {
        verifyRelease(release, [key], this.#verifier);
        return { manifest, signed, signedBy };
      } catch {
        // Another key may have signed it.
      }
    }
    throw new ServerError('RELEASE_SIGNATURE');
  }
}

/** What people call a key. */
export function keyLabel(publicKey: Uint8Array): string {
  return Buffer.from(publicKey).toString('hex').slice(0, shownKeyDigits);
}

export function releaseView({ manifest, signedBy }: ShelvedRelease): ReleaseView {
  return {
    version: manifest.version,
    platform: manifest.platform,
    bytes: manifest.size,
    downloadBytes: manifest.downloadSize,
    sha256: Buffer.from(manifest.sha256).toString('hex'),
    createdAtMs: manifest.createdAtMs,
    minimumAgent: manifest.minimumAgent,
    downgradeFrom: manifest.downgradeFrom,
    signedBy,
  };
}

export function rolledOut({ manifest, signed }: ShelvedRelease): RolledOutRelease {
  return {
    platform: manifest.platform,
    signed,
    file: artefactName(manifest.version, manifest.platform),
    downloadSha256: Buffer.from(manifest.downloadSha256).toString('hex'),
    downloadSize: manifest.downloadSize,
  };
}

function refuseNames(version: string, platform: string): void {
  const bad = !releaseVersionForm.test(version)
    ? `"${version}" is no version such as 1.2.3`
    : releasePlatformForm.test(platform)
      ? undefined
      : `"${platform}" is no platform such as linux-x64`;
  if (bad !== undefined) throw new ServerError('RELEASE_MALFORMED', { reason: bad });
}

function keyOf({ version, platform }: { version: string; platform: string }): string {
  return `${version} ${platform}`;
}

function baseName(version: string, platform: string): string {
  return `vigo-${version}-${platform}`;
}

function artefactName(version: string, platform: string): string {
  return `${baseName(version, platform)}.gz`;
}

function uploadName(version: string, platform: string): string {
  return `.upload-${baseName(version, platform)}`;
}
