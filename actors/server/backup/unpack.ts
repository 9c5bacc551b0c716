import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar';
import {
  type BackupFile,
  type Manifest,
  manifestBytesMax,
  manifestName,
  openManifest,
} from '../../backup/manifest.ts';
import { ServerError } from '../../errors.ts';
import { sodiumVerifier } from '../crypto/sodium.ts';

/** How an encrypted backup is opened: files, so that nothing secret stands on a command line. */
export interface BackupSource {
  readonly file: string;
  readonly passphraseFile?: string;
  /** Of age: lines "AGE-SECRET-KEY-1...". */
  readonly identityFile?: string;
  /** Public key (hex) that must have signed the manifest. */
  readonly key?: string;
}

export interface Unpacked {
  readonly manifest: Manifest;
  /** Hex. */
  readonly publicKey: string;
}

const directoryMode = 0o700;
const ageHeader = 'age-encryption.org/v1';

/**
 * Reads the whole backup and compares every byte with its signed manifest; writes it below `to` when
 * that is given. Rejects with BACKUP_DAMAGED, BACKUP_ENCRYPTED, BACKUP_FOREIGN or BACKUP_DISK.
 */
export async function unpackBackup(source: BackupSource, to?: string): Promise<Unpacked> {
  try {
    return await read(source, to);
  } catch (error) {
    throw coded(error);
  }
}

async function read(source: BackupSource, to: string | undefined): Promise<Unpacked> {
  const plain = await opened(source);
  const zipped = plain.pipe(createGunzip());
  plain.once('error', (error) => zipped.destroy(error));
  const bytes = Readable.toWeb(zipped) as unknown as globalThis.ReadableStream<Uint8Array>;
  const decoder = createTarDecoder({ strict: true });
  const entries = bytes.pipeThrough(decoder as never) as unknown as AsyncIterable<ParsedTarEntry>;
  let unpacked: Unpacked | undefined;
  let expected = new Map<string, BackupFile>();
  for await (const { header, body } of entries) {
    if (header.type !== 'file' && header.type !== undefined) {
      throw damaged(`${header.name} is no plain file`);
    }
    if (unpacked === undefined) {
      if (header.name !== manifestName) throw damaged('it does not begin with its manifest');
      unpacked = openManifest(await text(body, manifestBytesMax), sodiumVerifier);
      checkKey(source.key, unpacked.publicKey);
      expected = new Map(unpacked.manifest.content.map((file) => [file.path, file]));
      continue;
    }
    const file = expected.get(header.name);
    if (file === undefined) throw damaged(`${header.name} is not in its manifest`);
    expected.delete(header.name);
    await take(file, body, to);
  }
  if (unpacked === undefined) throw damaged('it is empty');
  const [absent] = expected.keys();
  if (absent !== undefined) throw damaged(`${absent} is missing`);
  return unpacked;
}

async function opened({ file, passphraseFile, identityFile }: BackupSource): Promise<Readable> {
  const isEncrypted = (await beginning(file)) === ageHeader;
  const stream = createReadStream(file);
  if (!isEncrypted) return stream;
  if (passphraseFile === undefined && identityFile === undefined) {
    stream.destroy();
    throw new ServerError('BACKUP_ENCRYPTED', { reason: 'neither passphrase nor key was named' });
  }
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  if (passphraseFile !== undefined)
    decrypter.addPassphrase((await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, ''));
  if (identityFile !== undefined) {
    for (const line of (await readFile(identityFile, 'utf8')).split('\n')) {
      if (line.startsWith('AGE-SECRET-KEY-')) decrypter.addIdentity(line.trim());
    }
  }
  const encrypted = Readable.toWeb(stream) as unknown as globalThis.ReadableStream<Uint8Array>;
  const plain = await decrypter.decrypt(encrypted).catch((error: unknown) => {
    stream.destroy();
    throw new ServerError('BACKUP_ENCRYPTED', { reason: reasonOf(error) });
  });
  return Readable.fromWeb(plain as unknown as ReadableStream);
}

async function beginning(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ageHeader.length));
    return buffer.subarray(0, bytesRead).toString('latin1');
  } finally {
    await file.close();
  }
}

async function text(
  body: globalThis.ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > bytesMax) throw damaged('its manifest is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Durable when this resolves; nothing is written that the manifest does not name. */
async function take(
  { path, bytes, sha256, mode }: BackupFile,
  body: globalThis.ReadableStream<Uint8Array>,
  to: string | undefined,
): Promise<void> {
  const target = to === undefined ? undefined : join(to, path);
  if (target !== undefined) await mkdir(dirname(target), { recursive: true, mode: directoryMode });
  const output = target === undefined ? undefined : await open(target, 'wx', mode);
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > bytes) throw damaged(`${path} is longer than its manifest says`);
      hash.update(chunk);
      await output?.writeFile(chunk);
    }
    if (size !== bytes || hash.digest('hex') !== sha256) {
      throw damaged(`${path} is not what its manifest says`);
    }
    await output?.sync();
  } finally {
    await output?.close();
  }
}

function checkKey(expected: string | undefined, key: string): void {
  if (expected === undefined || expected.toLowerCase() === key) return;
  throw new ServerError('BACKUP_FOREIGN', { key });
}

function coded(error: unknown): Error {
  if (error instanceof ServerError) return error;
  const { code } = error as { code?: unknown };
  const system = typeof code === 'string' && /^E[A-Z]+$/.test(code);
  const options = { cause: error };
  if (system) return new ServerError('BACKUP_DISK', { reason: reasonOf(error) }, options);
  return new ServerError('BACKUP_DAMAGED', { reason: reasonOf(error) }, options);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function damaged(reason: string): ServerError {
  return new ServerError('BACKUP_DAMAGED', { reason });
}
