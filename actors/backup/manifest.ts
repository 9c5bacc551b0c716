import { fromHex, toHex } from '../../agent/protocol/bytes.ts';
import { canonicalJsonBytes } from '../../agent/protocol/canonical-json.ts';
import type { Signer, Verifier } from '../../agent/protocol/crypto.ts';
import { ServerError } from '../errors.ts';
import type { BackupSummary } from './messages.ts';

export const manifestName = 'manifest.json';
const manifestFormat = 1;
/** Of the manifest, whose size is the number of files. */
export const manifestBytesMax = 64 * 1024 * 1024;
/** What the signature covers, so that it can be taken for nothing else. */
const context = new TextEncoder().encode('vigo.backup/manifest/v1\n');

export interface BackupFile {
  /** Relative to the home, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** 0o600 or 0o644. */
  readonly mode: number;
}

export interface Manifest extends BackupSummary {
  readonly format: typeof manifestFormat;
  readonly database: { readonly path: string };
  readonly content: readonly BackupFile[];
}

interface Envelope {
  readonly manifest: Manifest;
  /** Ed25519, hex: the key that signs policy bundles, which envoys pin. */
  readonly publicKey: string;
  readonly signature: string;
}

/** The text of `manifest.json`, which is the first entry of the archive. */
export function sealManifest(manifest: Omit<Manifest, 'format'>, signer: Signer): string {
  const whole: Manifest = { format: manifestFormat, ...manifest };
  const signature = signer.sign(signedBytes(whole));
  const envelope: Envelope = {
    manifest: whole,
    publicKey: toHex(signer.publicKey),
    signature: toHex(signature),
  };
  return `${JSON.stringify(envelope, null, 1)}\n`;
}

/** The manifest and the key (hex) that signed it. Throws BACKUP_DAMAGED. */
export function openManifest(
  text: string,
  verifier: Verifier,
): { manifest: Manifest; publicKey: string } {
  const { manifest, publicKey, signature } = parse(text);
  if (manifest.format !== manifestFormat) {
    throw damaged(`its format is ${manifest.format}, and this program reads ${manifestFormat}`);
  }
  const key = fromHex(publicKey) ?? new Uint8Array();
  const seal = fromHex(signature) ?? new Uint8Array();
  if (!verifier.verify(seal, signedBytes(manifest), key)) {
    throw damaged('its manifest is not the one that was signed');
  }
  const paths = new Set<string>();
  for (const { path } of manifest.content) {
    if (!isPlainPath(path)) throw damaged(`it has a file of the name ${JSON.stringify(path)}`);
    if (paths.has(path)) throw damaged(`it has ${path} twice`);
    paths.add(path);
  }
  if (!paths.has(manifest.database.path)) throw damaged('it has no database');
  return { manifest, publicKey };
}

function parse(text: string): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged('its manifest is not JSON');
  }
  if (isEnvelope(value)) return value;
  throw damaged('its manifest has another form');
}

function isEnvelope(value: unknown): value is Envelope {
  if (!isRecord(value)) return false;
  const { manifest, publicKey, signature } = value;
  if (typeof publicKey !== 'string' || !/^[0-9a-f]{64}$/.test(publicKey)) return false;
  if (typeof signature !== 'string' || !/^[0-9a-f]{128}$/.test(signature)) return false;
  if (!isRecord(manifest) || !isRecord(manifest.database)) return false;
  if (typeof manifest.database.path !== 'string' || !Array.isArray(manifest.content)) return false;
  return manifest.content.every(isFile);
}

function isFile(value: unknown): value is BackupFile {
  if (!isRecord(value)) return false;
  const { path, bytes, sha256, mode } = value;
  const sized = typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0;
  const hashed = typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256);
  return typeof path === 'string' && sized && hashed && (mode === 0o600 || mode === 0o644);
}

/** Nothing in an archive may be written anywhere but below the home. */
function isPlainPath(path: string): boolean {
  if (path.length > 4096 || path.includes('\0') || path.includes('\\')) return false;
  const parts = path.split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255);
}

function signedBytes(manifest: Manifest): Uint8Array {
  const body = canonicalJsonBytes(manifest);
  const bytes = new Uint8Array(context.length + body.length);
  bytes.set(context);
  bytes.set(body, context.length);
  return bytes;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function damaged(reason: string): ServerError {
  return new ServerError('BACKUP_DAMAGED', { reason });
}
