import { type BigIntStats, constants } from 'node:fs';
import { access, lstat, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Disk, DiskEntry } from './disk.ts';

/** A rename survives power loss only when its directory is flushed too. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function writeDurable(path: string, content: Uint8Array, mode = 0o600): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Opening a pipe that nobody writes to would wait for ever; without waiting it reads as empty. */
async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

async function inspect(path: string): Promise<DiskEntry | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    const version = [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join('.');
    return { kind: kindOf(stats), bytes: Number(stats.size), version };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function kindOf(stats: BigIntStats): DiskEntry['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

/** The real file system. */
export function nodeDisk(): Disk {
  return {
    read: readWhole,
    writeDurable,
    rename: async (from, to) => {
      await rename(from, to);
      await syncDirectory(dirname(to));
    },
    remove: (path) => rm(path, { recursive: true, force: true }),
    list: async (path) => (await readdir(path)).sort(),
    makeDirectory: async (path, mode = 0o700) => {
      await mkdir(path, { recursive: true, mode });
    },
    exists: (path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    inspect,
    resolve: (path) => realpath(path),
  };
}
