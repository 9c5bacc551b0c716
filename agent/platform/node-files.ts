import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type FileStatus,
  type Files,
  temporaryName,
  temporaryNamePattern,
  type WriteAttributes,
} from './platform.ts';
import { PlatformError, platformError } from './platform-error.ts';

const defaultReadLimit = 64 * 1024 * 1024;
/** Above this a read goes through the thread pool, so that it does not hold up the agent. */
const synchronousReadLimit = 256 * 1024;
const copyAttributesTimeoutMs = 10_000;
const permissionBits = 0o7777;
/** Directories that a process clears of what an earlier one left there; beyond, leftovers stay. */
const clearedDirectoryLimit = 10_000;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY, O_TRUNC } =
  fs.constants;

/**
 * Files by Node. What takes microseconds is done synchronously (a trip to the thread pool costs ten
 * times the call); what waits for the disk is asynchronous. Every failure is a PlatformError.
 */
export class NodeFiles implements Files {
  readonly #cleared = new Set<string>();

  async status(path: string): Promise<FileStatus | undefined> {
    try {
      const status = fs.lstatSync(path, { throwIfNoEntry: false });
      return status && toStatus(status);
    } catch (thrown) {
      const error = platformError('lstat', path, thrown);
      if (error.code === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  read(path: string, limit = defaultReadLimit): Promise<Uint8Array> {
    return attempt('read', path, async () => {
      // O_NONBLOCK: a pipe put in the file's place must not hang the agent.
      const descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      try {
        const status = fs.fstatSync(descriptor);
        if (!status.isFile()) throw new PlatformError('EINVAL', 'read', path);
        if (status.size > limit) throw new PlatformError('EFBIG', 'read', path);
        if (status.size <= synchronousReadLimit) return fs.readFileSync(descriptor);
        return await readLarge(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  readLink(path: string): Promise<string> {
    return attempt('readlink', path, async () => fs.readlinkSync(path));
  }

  list(path: string): Promise<string[]> {
    return attempt('list', path, async () => fs.readdirSync(path).sort());
  }

  writeAtomic(path: string, content: Uint8Array, attributes: WriteAttributes): Promise<void> {
    return attempt('write', path, async () => {
      const old = fs.lstatSync(path, { throwIfNoEntry: false });
      const kept = old?.isFile() ? old : undefined;
      this.#clearOnce(dirname(path));
      await writeBeside(path, async (temporary, handle) => {
        if (kept !== undefined) copyExtendedAttributes(path, temporary);
        await handle.writeFile(content);
        const uid = attributes.uid ?? kept?.uid ?? -1;
        const gid = attributes.gid ?? kept?.gid ?? -1;
        await changeOwner(handle, uid, gid);
        // After chown, which clears setuid and setgid.
        await handle.chmod(attributes.mode ?? (kept ? kept.mode & permissionBits : 0o644));
        await handle.sync();
      });
    });
  }

  writeKernel(path: string, text: string): Promise<void> {
    return attempt('write', path, async () => {
      const descriptor = fs.openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_TRUNC);
      try {
        fs.writeSync(descriptor, text);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  makeDirectory(path: string, mode: number): Promise<void> {
    return attempt('mkdir', path, async () => {
      fs.mkdirSync(path, mode);
      // The umask may have taken bits away.
      fs.chmodSync(path, mode);
    });
  }

  removeFile(path: string): Promise<void> {
    return attempt('unlink', path, async () => {
      if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) fs.unlinkSync(path);
    });
  }

  removeEmptyDirectory(path: string): Promise<void> {
    return attempt('rmdir', path, async () => fs.rmdirSync(path));
  }

  removeTree(path: string): Promise<void> {
    return attempt('remove', path, () => rm(path, { recursive: true, force: true }));
  }

  setMode(path: string, mode: number): Promise<void> {
    return attempt('chmod', path, async () => {
      const descriptor = openExisting(path);
      if (descriptor === undefined) return fs.chmodSync(path, mode);
      try {
        fs.fchmodSync(descriptor, mode);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  setOwner(path: string, uid: number, gid: number): Promise<void> {
    return attempt('chown', path, async () => fs.lchownSync(path, uid, gid));
  }

  symbolicLink(target: string, path: string): Promise<void> {
    return attempt('symlink', path, async () => fs.symlinkSync(target, path));
  }

  hardLink(target: string, path: string): Promise<void> {
    return attempt('link', path, async () => fs.linkSync(target, path));
  }

  rename(from: string, to: string): Promise<void> {
    return attempt('rename', to, async () => {
      await rename(from, to);
      await syncDirectory(dirname(to));
    });
  }

  copyFile(from: string, to: string, mode: number): Promise<void> {
    return attempt('copy', to, async () => {
      if (fs.lstatSync(to, { throwIfNoEntry: false }))
        throw new PlatformError('EEXIST', 'copy', to);
      await writeBeside(to, async (temporary, handle) => {
        await fs.promises.copyFile(from, temporary, fs.constants.COPYFILE_FICLONE);
        await handle.chmod(mode);
        await handle.sync();
      });
    });
  }

  removeTemporaries(directory: string): Promise<number> {
    return attempt('clean', directory, async () => clear(directory));
  }

  /**
   * What was killed in a write comes back to that file, and so to its directory. Before the first
   * write there, so that no temporary file is one of this process.
   */
  #clearOnce(directory: string): void {
    if (this.#cleared.has(directory) || this.#cleared.size >= clearedDirectoryLimit) return;
    this.#cleared.add(directory);
    try {
      clear(directory);
    } catch {
      // The write itself says what is wrong with the place, if anything is.
    }
  }
}

function clear(directory: string): number {
  const left = listIfThere(directory).filter((name) => temporaryNamePattern.test(name));
  for (const name of left) fs.rmSync(`${directory}/${name}`, { force: true });
  return left.length;
}

async function attempt<T>(operation: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    throw platformError(operation, path, thrown);
  }
}

function toStatus(status: fs.Stats): FileStatus {
  return {
    kind: kindOf(status),
    mode: status.mode & permissionBits,
    uid: status.uid,
    gid: status.gid,
    size: status.size,
    inode: status.ino,
    device: status.dev,
    modifiedMs: status.mtimeMs,
  };
}

function kindOf(status: fs.Stats): FileStatus['kind'] {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  return status.isSymbolicLink() ? 'symlink' : 'other';
}

function readLarge(descriptor: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    fs.readFile(descriptor, (error, content) => (error ? reject(error) : resolve(content)));
  });
}

/**
 * For fchmod: refuses a link; a pipe or device does not block. Undefined for what its owner, who is
 * not root, may not read: there chmod by name is the only way.
 */
function openExisting(path: string): number | undefined {
  try {
    return fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (thrown) {
    const isLink = fs.lstatSync(path).isSymbolicLink();
    if (platformError('open', path, thrown).code === 'EACCES' && !isLink) return undefined;
    throw thrown;
  }
}

function listIfThere(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (thrown) {
    const error = platformError('list', directory, thrown);
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  }
}

/** Fills a temporary file in the directory of `path`, then lets it take the place in one step. */
async function writeBeside(
  path: string,
  fill: (temporary: string, handle: FileHandle) => Promise<void>,
): Promise<void> {
  const directory = dirname(path);
  const temporary = `${directory}/${temporaryName(randomBytes(8).toString('hex'))}`;
  try {
    const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await fill(temporary, handle);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    fs.rmSync(temporary, { force: true });
    throw thrown;
  }
  await syncDirectory(directory);
}

async function changeOwner(handle: FileHandle, uid: number, gid: number): Promise<void> {
  if (uid === -1 && gid === -1) return;
  const now = await handle.stat();
  if ((uid !== -1 && uid !== now.uid) || (gid !== -1 && gid !== now.gid))
    await handle.chown(uid === -1 ? now.uid : uid, gid === -1 ? now.gid : gid);
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, O_RDONLY | O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * ACLs, SELinux labels and user attributes: Node has no call for them, so coreutils' cp copies them.
 * One process per overwritten file, about a millisecond; only drift pays it. `--preserve=all` leaves
 * out what the file system cannot hold. Without such a cp (BusyBox) they are lost, mode and owner
 * are not. Capabilities are dropped by the kernel at the following write, as for any writer.
 */
function copyExtendedAttributes(from: string, to: string): void {
  if (process.platform !== 'linux') return;
  spawnSync('cp', ['--attributes-only', '--preserve=all', '--no-dereference', '--', from, to], {
    stdio: 'ignore',
    timeout: copyAttributesTimeoutMs,
  });
}
