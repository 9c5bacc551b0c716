import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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

/** Exit codes of the child; anything else, or a signal, means damaged files. */
export const probeExit = { whole: 0, corrupted: 80, format: 81, unreadable: 82 };

/** Opens the store, reads every row and writes once, in a child that may crash in our place. */
export function probeStore(directory: string): Promise<ProbeResult> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./lmdb-probe-child.${extension}`, import.meta.url));
  const options = {
    timeout: probeDeadlineMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: outputBytesLimit,
    env: {},
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, directory], options, (error, stdout) => {
      if (error === null) return resolve({ state: 'whole' });
      const detail = stdout.trim() || `the probe ended with ${error.signal ?? error.code}`;
      if (error.code === probeExit.format)
        return resolve({ state: 'damaged', reason: 'format', detail });
      if (error.code === probeExit.unreadable)
        return resolve({ state: 'damaged', reason: 'unreadable', detail });
      return resolve({ state: 'damaged', reason: 'corrupted', detail });
    });
  });
}
