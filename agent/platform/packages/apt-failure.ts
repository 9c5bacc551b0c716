import { AgentError, type AgentErrorCode } from '../../errors.ts';
import { causeOf } from '../command.ts';
import type { RunResult } from '../platform.ts';

/** First match wins: a full disk also breaks the fetch, so the more particular cause comes first. */
const causes: readonly (readonly [RegExp, AgentErrorCode])[] = [
  [
    /Could not get lock|Unable to acquire the dpkg|Unable to lock|is another process using it/i,
    'AGENT_PACKAGE_LOCKED',
  ],
  [
    /No space left on device|You don't have enough free space|Disk quota exceeded/i,
    'AGENT_DISK_FULL',
  ],
  [
    /Unable to locate package|has no installation candidate|(Version|Release) '.*' for '.*' was not found|Couldn't find any package/i,
    'AGENT_PACKAGE_UNKNOWN',
  ],
  [
    /NO_PUBKEY|EXPKEYSIG|KEYEXPIRED|GPG error|is not signed|BADSIG|cannot be authenticated/i,
    'AGENT_PACKAGE_REPOSITORY',
  ],
  [
    /Failed to fetch|Unable to fetch|Could not resolve|Hash Sum mismatch|does not have a Release file|Release file .* expired|is not valid yet|Unable to read source|Malformed entry|The list of sources could not be read|File has unexpected size|Unable to connect/i,
    'AGENT_PACKAGE_REPOSITORY',
  ],
];

/** dpkg was killed in the middle of its work and wants to finish it first. */
export function wasInterrupted(result: RunResult): boolean {
  return /dpkg was interrupted|dpkg --configure -a/.test(result.stderr);
}

/** The error of a failed apt or dpkg call, with the code of its cause. */
export function aptFailure(result: RunResult): AgentError {
  const text = `${result.stderr}\n${result.stdout}`;
  const code = causes.find(([pattern]) => pattern.test(text))?.[1] ?? 'AGENT_PACKAGE_FAILED';
  return new AgentError(code, `exit code ${result.exitCode}: ${complaints(result)}`);
}

/** apt marks its errors with "E:"; without such lines, the end of the output. */
function complaints(result: RunResult): string {
  const lines = result.stderr.split('\n').filter((line) => /^(E:|dpkg: error|W: .*GPG)/.test(line));
  return causeOf(lines.length === 0 ? result : { ...result, stderr: lines.join('\n') });
}
