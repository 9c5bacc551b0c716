import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import type { ResourceContext } from '../contract.ts';
import type { ParameterReader } from '../parameters.ts';

const newDirectoryMode = 0o755;

/** A declared absolute path. */
export function readPath(reader: ParameterReader, name = 'target_path'): string {
  const path = reader.text(name) ?? '';
  if (path === '') return path;
  if (!path.startsWith('/') || path.includes('\0'))
    reader.problem(name, 'must be an absolute path');
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

export function occupied(path: string, kind: string, wanted: string): AgentError {
  return new AgentError('AGENT_PATH_OCCUPIED', { detail: `${path} is a ${kind}, not a ${wanted}` });
}

/** Looks before anything is changed, so that a dry run says the same: only an empty one gives way. */
export async function refuseFilledDirectory(
  declared: string,
  path: string,
  status: FileStatus | undefined,
  wanted: string,
  platform: Platform,
): Promise<void> {
  if (status?.kind === 'directory' && (await platform.files.list(path)).length > 0)
    throw occupied(declared, 'directory that holds something', wanted);
}

/** Makes a directory and the missing ones above it; one made meanwhile by another is fine. */
export async function makeDirectories(path: string, platform: Platform): Promise<void> {
  if ((await platform.files.status(path)) !== undefined) return;
  await makeDirectories(dirname(path), platform);
  try {
    await platform.files.makeDirectory(path, newDirectoryMode);
  } catch (thrown) {
    if (!(thrown instanceof PlatformError) || thrown.code !== 'EEXIST') throw thrown;
  }
}

/** Makes room for something of another kind: keeps a file's content, removes only empty directories. */
export async function clear(
  path: string,
  status: FileStatus | undefined,
  context: ResourceContext,
): Promise<void> {
  const { files } = context.platform;
  if (status === undefined) return;
  if (status.kind === 'directory') return files.removeEmptyDirectory(path);
  if (status.kind === 'file') await context.snapshot(path);
  await files.removeFile(path);
}

/**
 * A link leads where its owner wants, so it is followed only when root or the agent itself made it
 * (as Linux's protected_symlinks does in shared directories).
 */
export async function followTrusted(
  declared: string,
  platform: Platform,
): Promise<{ path: string; status: FileStatus | undefined }> {
  const path = await platform.paths.resolve(declared);
  const status = await platform.files.status(path);
  if (status?.kind !== 'symlink') return { path, status };
  if (status.uid !== 0 && status.uid !== platform.host.effectiveUid)
    throw new AgentError('AGENT_LINK_NOT_TRUSTED', { detail: declared });
  const real = await platform.paths.resolve(declared, { followLast: true });
  return { path: real, status: await platform.files.status(real) };
}

/** True when everybody may read it, so that a report may show its content. */
export function isPublic(mode: number): boolean {
  return (mode & 0o004) !== 0;
}
