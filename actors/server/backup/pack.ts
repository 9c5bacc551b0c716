import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createGzip } from 'node:zlib';
import { packTarSources } from 'modern-tar/fs';
import { manifestName, sealManifest } from '../../backup/manifest.ts';
import type { BackupSummary } from '../../backup/messages.ts';
import { openReadOnlyDatabase } from '../../sink/connection.ts';
import { sodiumPemSigner } from '../crypto/sodium.ts';

/** What the job `pack` gets; plain data. */
export interface PackOrder {
  /** The directory with the copied files. */
  readonly stage: string;
  /** Paths below it, with the modes that they had. */
  readonly files: readonly { readonly path: string; readonly mode: number }[];
  readonly databasePath: string;
  readonly output: string;
  readonly summary: Omit<BackupSummary, 'envoys' | 'auditEntries' | 'files' | 'policyVersion'>;
  /** PEM. */
  readonly signingKey: string;
  readonly passphrase: string | undefined;
  readonly recipients: readonly string[];
}

export interface Packed {
  readonly bytes: number;
  readonly sha256: string;
  readonly summary: BackupSummary;
}

const privateFileMode = 0o600;
/** Work factor of a passphrase, log2: about a second here, and what age itself takes. */
const scryptWorkFactor = 18;

/** An error of a job would cross threads without its code. */
export interface PackRefusal {
  readonly code: 'BACKUP_BAD_REQUEST' | 'BACKUP_DAMAGED';
  readonly reason: string;
}

/** A job: packs the stage into one file, which is durable when this resolves. */
export async function pack(order: PackOrder): Promise<Packed | { refused: PackRefusal }> {
  try {
    return await packStage(order);
  } catch (error) {
    if (error instanceof Refused) return { refused: error.refusal };
    throw error;
  }
}

class Refused extends Error {
  readonly refusal: PackRefusal;

  constructor(code: PackRefusal['code'], reason: string) {
    super(reason);
    this.refusal = { code, reason };
  }
}

async function packStage(order: PackOrder): Promise<Packed> {
  const { stage, databasePath, output } = order;
  const figures = readFigures(join(stage, databasePath));
  const content = [];
  for (const { path, mode } of order.files) {
    const { size } = await stat(join(stage, path));
    content.push({ path, bytes: size, sha256: await hashFile(join(stage, path)), mode });
  }
  const summary: BackupSummary = { ...order.summary, ...figures, files: content.length };
  const manifest = { ...summary, database: { path: databasePath }, content };
  const text = sealManifest(manifest, sodiumPemSigner(order.signingKey));
  const entries = packTarSources([
    { type: 'content', target: manifestName, content: text, mode: privateFileMode },
    ...content.map(({ path, mode }) => ({
      type: 'file' as const,
      source: join(stage, path),
      target: path,
      mode,
    })),
  ]);
  const hash = createHash('sha256');
  const measured = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const zipped = entries.pipe(createGzip());
  entries.once('error', (error) => zipped.destroy(error));
  const file = createWriteStream(output, { mode: privateFileMode, flags: 'wx' });
  await pipeline(await encrypted(zipped, order), measured, file);
  await syncFile(output);
  return { bytes: (await stat(output)).size, sha256: hash.digest('hex'), summary };
}

async function encrypted(
  plain: Readable,
  { passphrase, recipients }: Pick<PackOrder, 'passphrase' | 'recipients'>,
): Promise<Readable> {
  if (passphrase === undefined && recipients.length === 0) return plain;
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  try {
    if (passphrase !== undefined) {
      encrypter.setScryptWorkFactor(scryptWorkFactor);
      encrypter.setPassphrase(passphrase);
    }
    for (const recipient of recipients) encrypter.addRecipient(recipient);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refused('BACKUP_BAD_REQUEST', `a recipient is no public key of age: ${reason}`);
  }
  const source = Readable.toWeb(plain) as unknown as globalThis.ReadableStream<Uint8Array>;
  return Readable.fromWeb((await encrypter.encrypt(source)) as unknown as ReadableStream);
}

/** The copy is looked at before it is trusted. */
function readFigures(
  file: string,
): Pick<BackupSummary, 'envoys' | 'auditEntries' | 'policyVersion'> {
  const database = openReadOnlyDatabase(file);
  try {
    const [check] = database.pragma('quick_check') as { quick_check: string }[];
    if (check?.quick_check !== 'ok') {
      throw new Refused('BACKUP_DAMAGED', `the database: ${check?.quick_check}`);
    }
    const count = (query: string) => Number(database.prepare(query).pluck().get() ?? 0);
    return {
      envoys: count('SELECT count(*) FROM envoys'),
      auditEntries: count('SELECT max(sequence) FROM audit_log'),
      policyVersion: count('SELECT max(version) FROM policy_versions'),
    };
  } finally {
    database.close();
  }
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
