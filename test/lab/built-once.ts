import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const pollMs = 200;
/** The largest of what is built takes a minute on one core. */
const waitMaxMs = 600_000;

/**
 * Makes `target` when it is not there, also when several processes ask at once: one builds, the
 * others wait. `build` gets an empty directory beside it and answers what becomes the target.
 */
export function builtOnce(target: string, build: (work: string) => string): string {
  if (existsSync(target)) return target;
  mkdirSync(dirname(target), { recursive: true });
  const lock = `${target}.lock`;
  for (let waitedMs = 0; !take(lock); waitedMs += pollMs) {
    if (waitedMs > waitMaxMs) throw new Error(`${lock} is held for too long`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pollMs);
  }
  const work = mkdtempSync(join(dirname(target), 'build-'));
  try {
    if (!existsSync(target)) renameSync(build(work), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(lock, { force: true });
  }
  return target;
}

/** A file with the owner's process id; that of a dead process is taken over. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    // Somebody has it, or died with it. An empty file is one that is being written.
    const owner = existsSync(lock) ? readFileSync(lock, 'utf8') : '';
    if (owner !== '' && !existsSync(`/proc/${owner}`)) rmSync(lock, { force: true });
    return false;
  }
}
