import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { AdminError } from '../errors.ts';

const newFileMode = 0o644;

/**
 * Replaces the file as one step: readers see the old content or the new one. Mode and owner stay, and a
 * link goes on pointing to it. A `mode` is set on both. Throws CLI_FILE_UNWRITABLE, and then the file
 * is as it was.
 */
export function replaceFile(path: string, text: string, mode?: number): void {
  let temporary: string | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const known = statSync(path, { throwIfNoEntry: false });
    const target = known ? realpathSync(path) : path;
    temporary = join(dirname(target), `.vigocli-${randomBytes(6).toString('hex')}`);
    writeFlushed(temporary, text);
    chmodSync(temporary, mode ?? (known ? known.mode & 0o7777 : newFileMode));
    if (known && process.getuid?.() === 0) chownSync(temporary, known.uid, known.gid);
    renameSync(temporary, target);
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNWRITABLE', reason);
  }
}

function writeFlushed(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
