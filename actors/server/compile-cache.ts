import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import type { Clock } from '../../runtime/ports/clock.ts';

/** By then everything that serving needs was compiled. */
const flushAfterMs = 5_000;

/**
 * Keeps compiled code in the home, so that a restart compiles nothing: about a sixth of the time
 * from start to serving. Code from a cache is executed, so the home must be ours and closed to
 * others. The variable hands the directory on to worker threads and store checks.
 */
export function useHomeCompileCache(home: string): void {
  const root = resolve(home);
  const directory = `${root}/cache`;
  try {
    if (!isClosedToOthers(root)) return;
    mkdirSync(directory, { mode: 0o700, recursive: true });
    if (!isClosedToOthers(directory)) return;
  } catch {
    // There is no home before the first start.
    return;
  }
  process.env.NODE_COMPILE_CACHE = directory;
  enableCompileCache(directory);
}

/** Node writes the cache when a thread ends; one that is killed would never. Called by each thread. */
export function keepCompiledCode(clock: Clock): void {
  clock.after(flushAfterMs, flushCompileCache, { unref: true });
}

function isClosedToOthers(directory: string): boolean {
  const { uid, mode } = lstatSync(directory);
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}
