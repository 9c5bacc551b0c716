import { execFile } from 'node:child_process';
import { copyFile, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RuntimeError } from './errors.ts';
import type { Recovery } from './recovery.ts';

/** A store that takes longer to read than this counts as unreadable. */
const probeDeadlineMs = 120_000;
const outputBytesLimit = 64 * 1024;

export type ProbeResult =
  | { readonly state: 'whole' }
  | {
      readonly state: 'damaged';
      readonly reason: Recovery['reason'];
      readonly detail: string;
    };

/** Exit codes of the child. */
export const probeExit = { corrupted: 80, format: 81, unreadable: 82 };

/** How damaged pages end a process. Other signals (out of memory, a person) say nothing of the files. */
const crashSignals = new Set<unknown>(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGFPE', 'SIGILL']);

/**
 * Opens the store, reads every row and writes a compact copy, in a child that may crash in our
 * place. Where the store is whole the copy takes the place of the data file, flushed:
 * - its list of free pages is new: a damaged one ends the process at some later write;
 * - after a failed flush the page cache may hold what the disk does not; the copy is on the disk;
 * - as another file it gets an environment of its own, when a thread of this process still has the
 *   failed one open. For the same reason the child works on a link with a lock file of its own.
 *
 * Throws RUNTIME_STORE_OPEN_FAILED when the child could not do its work: that is no verdict, and
 * nothing may be thrown away for it.
 */
export async function probeStore(directory: string): Promise<ProbeResult> {
  const scratch = join(directory, 'probe');
  const data = join(directory, 'data.mdb');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(join(scratch, 'compact'), { recursive: true, mode: 0o700 });
  if (!(await stat(data)).isFile()) {
    await rm(scratch, { recursive: true, force: true });
    return { state: 'damaged', reason: 'corrupted', detail: 'data.mdb is not a file' };
  }
  // Not every file system has links.
  await link(data, join(scratch, 'data.mdb')).catch(() =>
    copyFile(data, join(scratch, 'data.mdb')),
  );
  const result = await runChild(directory, scratch);
  if (result.state === 'whole') await replaceFile(join(scratch, 'compact', 'data.mdb'), data);
  await rm(join(directory, 'lock.mdb'), { force: true });
  await rm(scratch, { recursive: true, force: true });
  return result;
}

/** Without a copy (full disk) the file stays as it is. */
async function replaceFile(copy: string, data: string): Promise<void> {
  const handle = await open(copy, 'r+').catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(copy, data);
}

function runChild(directory: string, scratch: string): Promise<ProbeResult> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./lmdb-probe-child.${extension}`, import.meta.url));
  const options = {
    timeout: probeDeadlineMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: outputBytesLimit,
    env: {},
  };
  const parameters = [program, scratch, join(scratch, 'compact')];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, parameters, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ state: 'whole' });
      const detail = stdout.trim() || `the probe ended with ${error.signal ?? error.code}`;
      const reason = crashSignals.has(error.signal) ? 'corrupted' : reasonOfExit(error.code);
      if (reason !== undefined) return resolve({ state: 'damaged', reason, detail });
      const failure = `${detail} ${stderr.trim()}`.trim();
      return reject(new RuntimeError('RUNTIME_STORE_OPEN_FAILED', { directory, reason: failure }));
    });
  });
}

function reasonOfExit(code: unknown): Recovery['reason'] | undefined {
  if (code === probeExit.corrupted) return 'corrupted';
  if (code === probeExit.format) return 'format';
  return code === probeExit.unreadable ? 'unreadable' : undefined;
}
