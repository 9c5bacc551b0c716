import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { ValidationResult } from '../../actors/publish/messages.ts';
import { AdminError } from '../errors.ts';
import { localHome } from './connection.ts';
import type { Session } from './session.ts';
import { type LocalFile, readStackDirectory } from './stack-directory.ts';

const validateTimeoutMs = 150_000;

/** The directory whose files are edited: --stack, or the stack directory of a server on this machine. */
export function stackDirectoryOf(it: Session, stack: string | undefined): string {
  if (stack !== undefined) {
    if (existsSync(stack)) return resolve(stack);
    throw new AdminError('CLI_FILE_UNREADABLE', `${stack} is not there`);
  }
  const home = localHome(it.options, process.env);
  const directory = home === undefined ? undefined : join(home, 'stacks');
  if (directory !== undefined && existsSync(directory)) return directory;
  const detail = 'files are edited where they are, and no stack is on this machine';
  throw new AdminError('CLI_USAGE', detail, undefined, 'name a checkout with --stack DIR');
}

/** The name of the file relative to the stack; it may be given so, or by its place on this machine. */
export function stackPath(directory: string, name: string): string {
  const inside = resolve(directory, name);
  const named = isAbsolute(name) || existsSync(inside) || !existsSync(name);
  const path = relative(directory, named ? inside : resolve(name))
    .split(sep)
    .join('/');
  if (path === '' || path.startsWith('../') || path === '..' || isAbsolute(path)) {
    throw new AdminError('CLI_USAGE', `${name} is not in the stack ${directory}`);
  }
  if (path.endsWith('.vgo') || path.startsWith('templates/')) return path;
  throw new AdminError('CLI_USAGE', `${path} is neither a .vgo file nor below templates/`);
}

/** Undefined when the file is not there. */
export function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', reason);
  }
}

/** What the server says of the stack with these files changed; nothing is written. */
export async function validateChanged(
  it: Session,
  directory: string,
  changed: readonly LocalFile[],
): Promise<ValidationResult> {
  const paths = new Set(changed.map(({ path }) => path));
  const kept = filesOf(directory).filter(({ path }) => !paths.has(path));
  const files = [...kept, ...changed.map(({ path, text }) => ({ path, text }))];
  const body = { files };
  return await it.client.post<ValidationResult>('/api/v1/config/validate', body, validateTimeoutMs);
}

/** An empty directory is where a first file may be made. */
function filesOf(directory: string): LocalFile[] {
  try {
    return readStackDirectory(directory);
  } catch (error) {
    const empty = error instanceof AdminError && error.message.includes('has no .vgo file');
    if (empty) return [];
    throw error;
  }
}
