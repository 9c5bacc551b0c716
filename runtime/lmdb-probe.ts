import { execFile } from 'node:child_process';
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
 * Opens the store, reads every row and writes once, in a child that may crash in our place.
 * Throws RUNTIME_STORE_OPEN_FAILED when the child could not do its work: that is no verdict, and
 * nothing may be thrown away for it.
 */
export function probeStore(directory: string): Promise<ProbeResult> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./lmdb-probe-child.${extension}`, import.meta.url));
  const options = {
    timeout: probeDeadlineMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: outputBytesLimit,
    env: {},
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, directory], options, (error, stdout, stderr) => {
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
