import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ServerError } from '../../errors.ts';

export const privateFileMode = 0o600;
export const publicFileMode = 0o644;
export const directoryMode = 0o700;

/** The content, or undefined when there is no such file. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw unwritable(path, error);
  }
}

/**
 * Makes the file with this content unless it exists, durably and as one step: a kill leaves either
 * no file or the whole one. Returns false, and changes nothing, when the file was there already.
 */
export async function createOnce(path: string, content: string, mode: number): Promise<boolean> {
  const draft = await writeDraft(path, content, mode);
  try {
    // link(2) refuses an existing name, so that two starts cannot replace each other's keys.
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw unwritable(path, error);
  } finally {
    await unlink(draft).catch(() => undefined);
    await syncDirectory(dirname(path));
  }
}

/** Replaces the file durably and as one step. For what may be made anew, never for keys. */
export async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const draft = await writeDraft(path, content, mode);
  try {
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw unwritable(path, error);
  }
  await syncDirectory(dirname(path));
}

export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: directoryMode });
  } catch (error) {
    throw unwritable(path, error);
  }
}

async function writeDraft(path: string, content: string, mode: number): Promise<string> {
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw unwritable(path, error);
  }
  return draft;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The operating system's code of a failed call ("ENOENT"), or ''. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function unwritable(path: string, error: unknown): ServerError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ServerError('HOME_UNWRITABLE', { path, reason }, { cause: error });
}
