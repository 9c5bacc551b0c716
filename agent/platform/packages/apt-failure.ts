import type { AgentError } from '../../errors.ts';
import type { RunResult } from '../platform.ts';
import { type FailureCauses, machineTrouble, packageFailure } from './package-failure.ts';

const causes: FailureCauses = [
  [
    'AGENT_PACKAGE_LOCKED',
    [/Could not get lock/, /Unable to acquire the dpkg/, /Unable to lock/, /another process using/],
  ],
  ...machineTrouble,
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

/** The error of a failed apt or dpkg call, with the code of its cause. apt marks errors with "E:". */
export function aptFailure(result: RunResult): AgentError {
  return packageFailure(result, causes, /^(E:|dpkg: error|W: .*GPG)/);
}
