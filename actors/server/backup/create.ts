import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BackupOrder, BackupProgress, BackupView } from '../../backup/messages.ts';
import { ServerError } from '../../errors.ts';
import type { ServerConfig } from '../config/config.ts';
import type { HomeLayout } from '../home/layout.ts';
import { type CollectOptions, collectHome, fingerprint, homePath } from './collect.ts';
import type { Packed, PackOrder } from './pack.ts';
import { BackupShelf } from './shelf.ts';

export interface BackupParts {
  readonly layout: HomeLayout;
  readonly config: Pick<ServerConfig, 'database' | 'secrets'>;
  readonly version: string;
  /** PEM. */
  readonly signingKey: string;
  nowMs(): number;
  randomBytes(length: number): Uint8Array;
  /** Copies the database as it is at one moment, while it is written. */
  copyDatabase(to: string, progress: (done: number, total: number) => void): Promise<void>;
  /** Runs the job of pack.ts beside the fleet. */
  pack(order: PackOrder): Promise<Packed>;
}

const stagePrefix = '.part-';
const directoryMode = 0o700;
const privateFileMode = 0o600;
/** Tries to find the server unchanged from the beginning to the end of a copy. */
const roundsMax = 5;
/** Copy and archive of what is there, and something for the files beside it. */
const spaceReserveBytes = 16 * 1024 * 1024;

/** Makes one backup; `tell` hears how far it is. Rejects with BACKUP_* or SINK_*. */
export async function createBackup(
  parts: BackupParts,
  order: BackupOrder,
  tell: (progress: BackupProgress) => void,
): Promise<BackupView> {
  if (order.passphrase !== undefined && (order.recipients?.length ?? 0) > 0) {
    const reason = 'age encrypts to a passphrase or to keys, not to both';
    throw new ServerError('BACKUP_BAD_REQUEST', { reason });
  }
  const shelf = new BackupShelf(parts.layout);
  const id = Buffer.from(parts.randomBytes(4)).toString('hex');
  const stage = join(shelf.directory, `${stagePrefix}${id}`);
  try {
    await mkdir(shelf.directory, { recursive: true, mode: directoryMode });
    await removeLeftOvers(shelf.directory);
    await mkdir(stage, { mode: directoryMode });
    const copied = await copyHome(parts, order, join(stage, 'home'), tell);
    tell({ phase: 'packing', done: 0, total: 1 });
    const draft = join(stage, 'archive');
    const packed = await parts.pack({
      stage: join(stage, 'home'),
      ...copied,
      output: draft,
      summary: {
        createdAtMs: parts.nowMs(),
        createdBy: order.by,
        note: order.note,
        version: parts.version,
        missing: missingPaths(parts),
      },
      signingKey: parts.signingKey,
      passphrase: order.passphrase,
      recipients: order.recipients ?? [],
    });
    const isEncrypted = order.passphrase !== undefined || (order.recipients?.length ?? 0) > 0;
    const view = await shelf.add(draft, id, packed, isEncrypted);
    if (order.keep !== undefined) await shelf.keepOnly(order.keep);
    return view;
  } catch (error) {
    throw coded(error);
  } finally {
    await rm(stage, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Stages that a kill left behind; nobody else makes any at the same time. */
export async function removeLeftOvers(directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of names.filter((each) => each.startsWith(stagePrefix))) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/**
 * Copies until nothing changed from before the database was copied to after the last file was: then
 * all of it is of one moment, that in which the copy of the database ended.
 */
async function copyHome(
  parts: BackupParts,
  order: BackupOrder,
  to: string,
  tell: (progress: BackupProgress) => void,
): Promise<Pick<PackOrder, 'files' | 'databasePath'>> {
  const { layout, config } = parts;
  const { file: database } = config.database;
  const databasePath = homePath(layout, database);
  if (databasePath === undefined) throw new ServerError('BACKUP_OUTSIDE', { file: database });
  const collect: CollectOptions = {
    layout,
    database,
    secretsDirectory: config.secrets.secretsDirectory,
    agents: order.agents,
  };
  for (let round = 0; round < roundsMax; round++) {
    await rm(to, { recursive: true, force: true });
    const files = await collectHome(collect);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0) + (await stat(database)).size;
    await checkSpace(dirname(to), bytes);
    await mkdir(dirname(join(to, databasePath)), { recursive: true, mode: directoryMode });
    await parts.copyDatabase(join(to, databasePath), (done, total) =>
      tell({ phase: 'database', done, total }),
    );
    await chmod(join(to, databasePath), privateFileMode);
    const copied = await copyFiles(layout, files, to, (done) =>
      tell({ phase: 'files', done, total: files.length }),
    );
    if (!copied || fingerprint(await collectHome(collect)) !== fingerprint(files)) continue;
    const named = files.map(({ path, mode }) => ({ path, mode }));
    const own = { path: databasePath, mode: privateFileMode };
    return { files: [...named, own], databasePath };
  }
  throw new ServerError('BACKUP_UNSETTLED', { times: roundsMax }, { retryAfterMs: 5_000 });
}

/** False when a file went away meanwhile. */
async function copyFiles(
  layout: HomeLayout,
  files: readonly { readonly path: string }[],
  to: string,
  done: (count: number) => void,
): Promise<boolean> {
  const made = new Set<string>();
  for (const [count, { path }] of files.entries()) {
    const target = join(to, path);
    if (!made.has(dirname(target))) {
      await mkdir(dirname(target), { recursive: true, mode: directoryMode });
      made.add(dirname(target));
    }
    try {
      await copyFile(join(layout.root, path), target, constants.COPYFILE_FICLONE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    done(count + 1);
  }
  return true;
}

async function checkSpace(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const needed = 2 * bytes + spaceReserveBytes;
  const free = bavail * bsize;
  if (free < needed) throw new ServerError('BACKUP_NO_SPACE', { directory, needed, free });
}

function missingPaths({ layout, config }: BackupParts): string[] {
  const { backend, keyFile, secretsDirectory } = config.secrets;
  if (backend !== 'local') return [`the secrets: they are kept by ${backend}`];
  return [keyFile, secretsDirectory].filter((path) => homePath(layout, path) === undefined);
}

function coded(error: unknown): Error {
  if (error instanceof Error && 'remedy' in error) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ServerError('BACKUP_DISK', { reason }, { cause: error });
}
