import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { ServerError } from '../../errors.ts';
import type { CertificateAuthority } from '../certificate-authority.ts';
import type { ServerConfig } from '../config/config.ts';
import { type ConfigOverride, loadConfig } from '../config/load.ts';
import { sampleConfig } from '../config/sample.ts';
import { lazyAuthority } from '../lazy-authority.ts';
import type { HomeEnvironment } from './environment.ts';
import {
  createOnce,
  directoryMode,
  makeDirectory,
  privateFileMode,
  publicFileMode,
  readOptional,
} from './files.ts';
import { type HomeLayout, homeDirectories, homeLayout } from './layout.ts';
import { ensureServerCertificate, type ServerCertificate } from './server-certificate.ts';
import { stacksReadme } from './stacks-readme.ts';

/** A complete server home. Every PEM may be handed to another thread as it is. */
export interface ServerHome {
  readonly layout: HomeLayout;
  readonly config: ServerConfig;
  readonly certificateAuthority: CertificateAuthority;
  readonly caKeyPem: string;
  readonly serverCertificate: ServerCertificate;
  /** Ed25519, PKCS#8. */
  readonly bundleSigningKeyPem: string;
  /** Ed25519, 32 bytes; agents pin it. */
  readonly bundlePublicKey: Uint8Array;
  /** SHA-256 of the local administrator's token. */
  readonly adminTokenHash: Uint8Array;
  /** What this call made or completed, one line each, for the log. */
  readonly made: readonly string[];
}

export interface OpenHomeOptions {
  readonly home: string;
  /** Make what is missing of a new home; otherwise HOME_MISSING. */
  readonly create: boolean;
  readonly overrides?: readonly ConfigOverride[];
  /** Instead of the home's server.yaml. */
  readonly configFile?: string;
}

const tokenBytes = 32;
const markerVersion = 1;

/**
 * Opens a server home, making what is missing of one that was never complete. Key files are made at
 * most once: when the marker says that all were made and one is gone, this refuses with HOME_DAMAGED
 * instead of making a key that no envoy trusts.
 */
export async function openHome(
  options: OpenHomeOptions,
  environment: HomeEnvironment,
): Promise<ServerHome> {
  const layout = homeLayout(options.home);
  const marker = await readOptional(layout.marker);
  if (marker === undefined && !options.create) {
    throw new ServerError('HOME_MISSING', { home: layout.root });
  }
  // The database is made after the marker: where it stands, envoys may trust the keys already.
  const complete = marker !== undefined || existsSync(layout.database);
  const opening: Opening = { layout, environment, complete, made: [] };
  for (const directory of homeDirectories(layout)) await makeDirectory(directory);
  await closeToOthers(opening);
  await makeText(opening, layout.configFile, sampleConfig(), privateFileMode);
  if (!opening.complete)
    await makeText(opening, `${layout.stacksDirectory}/README.md`, stacksReadme, publicFileMode);
  const config = await loadConfig({
    file: options.configFile ?? layout.configFile,
    home: layout.root,
    ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
  });
  const authority = await ensureAuthority(opening);
  const serverKeyPem = await ensureKey(opening, layout.serverKey, makeP256Key, true);
  const serverCertificate = await ensureServerCertificate(
    layout,
    authority.authority,
    serverKeyPem,
    config.server,
    environment,
  );
  const bundleSigningKeyPem = await ensureKey(opening, layout.bundleSigningKey, makeEd25519Key);
  const token = await ensureKey(opening, layout.adminToken, () => makeToken(environment), true);
  await writeMarker(opening, marker, authority.authority.fingerprint);
  return {
    layout,
    config,
    certificateAuthority: authority.authority,
    caKeyPem: authority.keyPem,
    serverCertificate,
    bundleSigningKeyPem,
    bundlePublicKey: rawPublicKey(opening, bundleSigningKeyPem),
    adminTokenHash: createHash('sha256').update(token.trim()).digest(),
    made: opening.made,
  };
}

interface Opening {
  readonly layout: HomeLayout;
  readonly environment: HomeEnvironment;
  /** Every key file existed at least once. */
  readonly complete: boolean;
  readonly made: string[];
}

async function ensureAuthority(
  opening: Opening,
): Promise<{ authority: CertificateAuthority; keyPem: string }> {
  const { layout, environment } = opening;
  // The key is made before the certificate, so a certificate alone means that its key was lost.
  const certificateFirst = await readOptional(layout.caCertificate);
  if (certificateFirst !== undefined && (await readOptional(layout.caKey)) === undefined) {
    throw damaged(opening, `${layout.caKey} is missing beside its certificate`);
  }
  const keyPem = await ensureKey(opening, layout.caKey, makeP256Key);
  let certificatePem = certificateFirst;
  if (certificatePem === undefined) {
    if (opening.complete) throw damaged(opening, `${layout.caCertificate} is missing`);
    const { createAuthorityCertificate } = await import('../certificate-authority.ts');
    await makeText(
      opening,
      layout.caCertificate,
      await createAuthorityCertificate(keyPem, environment),
      publicFileMode,
    );
    certificatePem = (await readOptional(layout.caCertificate)) ?? '';
  }
  try {
    const authority = lazyAuthority({ certificatePem, keyPem }, environment);
    return { authority, keyPem };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw damaged(opening, `${layout.tlsDirectory}: ${reason}`, cause);
  }
}

/** The file's content; made first when the home was never complete, or when it `mayReturn`. */
async function ensureKey(
  opening: Opening,
  path: string,
  make: () => string,
  mayReturn = false,
): Promise<string> {
  const existing = await readOptional(path);
  if (existing !== undefined) {
    if (existing.trim() === '') throw damaged(opening, `${path} is empty`);
    return existing;
  }
  if (opening.complete && !mayReturn) throw damaged(opening, `${path} is missing`);
  await makeText(opening, path, make(), privateFileMode);
  return (await readOptional(path)) ?? '';
}

async function makeText(
  opening: Opening,
  path: string,
  content: string,
  mode: number,
): Promise<void> {
  if (await createOnce(path, content, mode)) opening.made.push(`made ${path}`);
}

async function writeMarker(
  opening: Opening,
  marker: string | undefined,
  fingerprint: string,
): Promise<void> {
  if (marker === undefined) {
    const content = {
      version: markerVersion,
      madeAt: new Date(opening.environment.clock.nowMs()).toISOString(),
      caFingerprint: fingerprint,
    };
    const text = `${JSON.stringify(content, undefined, 2)}\n`;
    await createOnce(opening.layout.marker, text, privateFileMode);
    return;
  }
  const expected = /"caFingerprint": "([0-9a-f]{64})"/.exec(marker)?.[1];
  if (expected !== fingerprint) {
    throw damaged(opening, `${opening.layout.caCertificate} is not the one that it was made with`);
  }
}

/** Takes away what the group and others may do with the private directories. */
async function closeToOthers(opening: Opening): Promise<void> {
  for (const directory of homeDirectories(opening.layout)) {
    const { mode } = await stat(directory);
    if ((mode & 0o077) === 0) continue;
    await chmod(directory, directoryMode);
    opening.made.push(`closed ${directory} to other users`);
  }
}

function rawPublicKey(opening: Opening, pem: string): Uint8Array {
  let key: KeyObject;
  try {
    key = createPublicKey(createPrivateKey(pem));
  } catch (cause) {
    throw damaged(opening, `${opening.layout.bundleSigningKey} is not a key`, cause);
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw damaged(opening, `${opening.layout.bundleSigningKey} is not an Ed25519 key`);
  }
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(-32));
}

function damaged(opening: Opening, reason: string, cause?: unknown): ServerError {
  return new ServerError('HOME_DAMAGED', { home: opening.layout.root, reason }, { cause });
}

function makeP256Key(): string {
  return exportPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

function makeEd25519Key(): string {
  return exportPem(generateKeyPairSync('ed25519').privateKey);
}

function makeToken(environment: HomeEnvironment): string {
  return `vgot_${Buffer.from(environment.random.bytes(tokenBytes)).toString('base64url')}\n`;
}

function exportPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
