import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Field 22 of /proc/self/stat, counted behind the command's closing parenthesis (proc(5)). */
const startTimeField = 19;

let identity: string | undefined;

/** This process, told apart from an earlier one with the same number. The same on every thread. */
function processIdentity(): string {
  identity ??= `${process.pid} ${startTicks()}`;
  return identity;
}

function startTicks(): string {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[startTimeField] ?? '';
  } catch {
    return '';
  }
}

function markPath(directory: string): string {
  return join(directory, 'owner');
}

/**
 * Says that the owner has this store open in this process. lmdb-js shares one environment per file
 * between threads and keeps the flags of whoever opens it first, and an unclean store may not be
 * touched before its owner has looked at it: so readers wait for the mark.
 */
export function writeOwnerMark(directory: string): void {
  writeFileSync(markPath(directory), processIdentity(), { mode: 0o600 });
}

export function removeOwnerMark(directory: string): void {
  rmSync(markPath(directory), { force: true });
}

export function hasOwnerMark(directory: string): boolean {
  try {
    return readFileSync(markPath(directory), 'utf8') === processIdentity();
  } catch {
    return false;
  }
}
