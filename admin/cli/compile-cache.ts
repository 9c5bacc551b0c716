import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';

/**
 * Keeps compiled code below the user's cache directory (XDG Base Directory Specification), so that
 * the next call starts sooner. Code from a cache is executed: one that another user could have
 * written, as under sudo with a foreign HOME or in a shared /tmp, is left alone.
 */
export function useCompileCache(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { XDG_CACHE_HOME: cacheHome, HOME: home } = environment;
  const owner = cacheHome || home;
  if (!owner || !isAbsolute(owner)) return undefined;
  const directory = join(cacheHome || join(owner, '.cache'), 'vigo', 'compile-cache');
  try {
    if (!isOwn(owner)) return undefined;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!isOwn(directory)) return undefined;
  } catch {
    return undefined;
  }
  return enableCompileCache(directory).directory;
}

function isOwn(directory: string): boolean {
  const { uid, mode } = lstatSync(directory);
  const writableByOthers = (mode & 0o022) !== 0;
  return uid === process.geteuid?.() && !writableByOthers;
}
