import type { FileStatus, Platform } from '../platform/platform.ts';
import { PlatformError } from '../platform/platform-error.ts';
import type { PolicyValue } from '../protocol/bundle.ts';

const linkLimit = 8;
const listLimit = 10_000;
const readLimit = 64 * 1024 * 1024;

/**
 * The text of a file of the machine itself; undefined when it is not there. Traits describe the
 * machine also when the agent is confined to a root, so the path is a real one. Links are followed.
 */
export async function readMachineFile(
  platform: Platform,
  path: string,
  limit = readLimit,
): Promise<string | undefined> {
  const bytes = await readMachineBytes(platform, path, limit, (_, read) => read());
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/**
 * As readMachineFile, for readers that keep what they made of a file: `use` gets a stamp, which is
 * the same as long as the file was not written, and reads the content only when it needs to.
 */
export async function readMachineBytes<T>(
  { files }: Platform,
  path: string,
  limit: number,
  use: (stamp: string, read: () => Promise<Uint8Array>, status: FileStatus) => Promise<T>,
): Promise<T | undefined> {
  let real = path;
  for (let links = 0; links < linkLimit; links += 1) {
    const status = await files.status(real);
    if (status?.kind === 'file') {
      const { device, inode, size, modifiedMs } = status;
      const stamp = `${device}:${inode}:${size}:${modifiedMs}`;
      return await use(stamp, () => files.read(real, limit), status);
    }
    if (status?.kind !== 'symlink') return undefined;
    real = follow(real, await files.readLink(real));
  }
  return undefined;
}

function follow(path: string, target: string): string {
  if (target.startsWith('/')) return target;
  const parts = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The first line of a small file, trimmed; undefined when it is missing or empty. */
export async function readMachineLine(
  platform: Platform,
  path: string,
): Promise<string | undefined> {
  const line = (await readMachineFile(platform, path))?.split('\n', 1)[0]?.trim();
  return line === '' ? undefined : line;
}

/** As readMachineLine; also undefined for what this process may not read or the kernel refuses. */
export async function tryMachineLine(
  platform: Platform,
  path: string,
): Promise<string | undefined> {
  try {
    return await readMachineLine(platform, path);
  } catch (error) {
    if (error instanceof PlatformError) return undefined;
    throw error;
  }
}

/** Names in a directory, sorted, `limit` at most; none when it is not there or may not be read. */
export async function listMachineDirectory(
  { files }: Platform,
  path: string,
  limit = listLimit,
): Promise<readonly string[]> {
  try {
    return (await files.list(path)).slice(0, limit);
  } catch (error) {
    if (error instanceof PlatformError) return [];
    throw error;
  }
}

/** What a link says; undefined when it is none or may not be read. */
export async function linkTarget({ files }: Platform, path: string): Promise<string | undefined> {
  try {
    return await files.readLink(path);
  } catch (error) {
    if (error instanceof PlatformError) return undefined;
    throw error;
  }
}

/** Without the fields that are undefined. */
export function known<T extends Readonly<Record<string, PolicyValue | undefined>>>(
  fields: T,
): Record<string, PolicyValue> {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, PolicyValue] => entry[1] !== undefined),
  );
}
