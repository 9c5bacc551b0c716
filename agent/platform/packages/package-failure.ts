import { AgentError, type AgentErrorCode } from '../../errors.ts';
import { causeOf } from '../command.ts';
import type { RunResult } from '../platform.ts';

/**
 * What a package manager says, by the code of the cause. The first match wins: a full disk also
 * breaks a download, so the more particular cause comes first.
 */
export type FailureCauses = readonly (readonly [AgentErrorCode, readonly RegExp[]])[];

/** The error of a failed call, with the code of its cause. `complaint`: lines that tell the trouble. */
export function packageFailure(
  result: RunResult,
  causes: FailureCauses,
  complaint: RegExp,
): AgentError {
  const text = `${result.stderr}\n${result.stdout}`;
  const code =
    causes.find(([, patterns]) => patterns.some((one) => one.test(text)))?.[0] ??
    'AGENT_PACKAGE_FAILED';
  const lines = text.split('\n').filter((line) => complaint.test(line));
  const shown = lines.length === 0 ? result : { ...result, stderr: lines.join('\n') };
  return new AgentError(code, `exit code ${result.exitCode}: ${causeOf(shown)}`);
}

/** What no package manager can help. */
export const machineTrouble: FailureCauses = [
  [
    'AGENT_DISK_FULL',
    [
      /No space left on device|ENOSPC/i,
      /(don't have|not) enough (free )?(disk )?space/i,
      /Disk quota exceeded/i,
      /At least \S+ more space needed/,
      /insufficient disk space/i,
    ],
  ],
  ['AGENT_READ_ONLY_FILE_SYSTEM', [/Read-only file system|EROFS/i]],
];
