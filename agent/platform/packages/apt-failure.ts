import { AgentError, type AgentErrorCode } from '../../errors.ts';
import { causeOf } from '../command.ts';
import type { RunResult } from '../platform.ts';

/** First match wins: a full disk also breaks the fetch, so the more particular cause comes first. */
const causes: readonly (readonly [AgentErrorCode, readonly RegExp[]])[] = [
  [
    'AGENT_PACKAGE_LOCKED',
    [/Could not get lock/, /Unable to acquire the dpkg/, /Unable to lock/, /another process using/],
  ],
  [
    'AGENT_DISK_FULL',
    [/No space left on device/, /You don't have enough free space/, /Disk quota exceeded/],
  ],
  [
    'AGENT_PACKAGE_UNKNOWN',
    [
      /Unable to locate package/,
      /has no installation candidate/,
      /(Version|Release) '.*' for '.*' was not found/,
      /Couldn't find any package/,
    ],
  ],
  [
    'AGENT_PACKAGE_REPOSITORY',
    [
      /NO_PUBKEY|EXPKEYSIG|KEYEXPIRED|BADSIG|GPG error/,
      /is not signed|cannot be authenticated/,
      /(Failed|Unable) to (fetch|connect)|Could not (resolve|connect)/,
      /Hash Sum mismatch|File has unexpected size/,
      /does not have a Release file|Release file .* (expired|is not valid yet)/,
      /Unable to read source|Malformed entry|list of sources could not be read/,
    ],
  ],
];

/** dpkg was killed in the middle of its work and wants to finish it first. */
export function wasInterrupted(result: RunResult): boolean {
  return /dpkg was interrupted|dpkg --configure -a/.test(result.stderr);
}

/** The error of a failed apt or dpkg call, with the code of its cause. */
export function aptFailure(result: RunResult): AgentError {
  const text = `${result.stderr}\n${result.stdout}`;
  const code =
    causes.find(([, patterns]) => patterns.some((one) => one.test(text)))?.[0] ??
    'AGENT_PACKAGE_FAILED';
  return new AgentError(code, `exit code ${result.exitCode}: ${complaints(result)}`);
}

/** apt marks its errors with "E:"; without such lines, the end of the output. */
function complaints(result: RunResult): string {
  const lines = result.stderr.split('\n').filter((line) => /^(E:|dpkg: error|W: .*GPG)/.test(line));
  return causeOf(lines.length === 0 ? result : { ...result, stderr: lines.join('\n') });
}
