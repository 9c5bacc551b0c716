import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

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

/** The real file system. */
export function nodeDisk(): Disk {
  return {
    read: async (path) => new Uint8Array(await readFile(path)),
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
  };
}
