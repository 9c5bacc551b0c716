import type { Command } from 'commander';
import { AdminError } from '../../../errors.ts';
import type { LocalFile } from '../../stack-directory.ts';
import { parseVersion, stackFiles, stackOption } from './shared.ts';

/** Which stack a question is about: the server's directory unless something is said. */
export interface SourceOptions {
  readonly live?: boolean;
  readonly ofVersion?: string;
  readonly candidate?: boolean;
  readonly stack?: string;
}

export function addSourceOptions(command: Command): void {
  command
    .option('--live', "of what is live, instead of the server's stack directory")
    .option('--of-version <number>', 'of an earlier version')
    .option('--candidate', 'of what waits for an approval')
    .addOption(stackOption());
}

export function sourceBody(options: SourceOptions): { of?: string; files?: LocalFile[] } {
  const { live, ofVersion, candidate, stack } = options;
  const said = [live, ofVersion, candidate, stack].filter((each) => each !== undefined);
  if (said.length > 1) {
    throw new AdminError('CLI_USAGE', 'give one of --live, --of-version, --candidate and --stack');
  }
  if (live) return { of: 'live' };
  if (candidate) return { of: 'candidate' };
  return ofVersion === undefined ? stackFiles(stack) : { of: String(parseVersion(ofVersion)) };
}
