import type { Command } from 'commander';

/** What describes a release, wherever it is signed. */
export interface ReleaseFlags {
  readonly release: string;
  readonly platform: string;
  readonly minimumAgent?: string;
  readonly downgradeFrom: string[];
  readonly releaseKey: string[];
}

export function releaseFlags(command: Command): Command {
  return command
    .requiredOption('--release <version>', 'the version of the program, such as 0.2.0')
    .requiredOption('--platform <platform>', 'that it was built for: linux-x64 or linux-arm64')
    .option('--minimum-agent <version>', 'older agents must take another step first')
    .option('--downgrade-from <version>', 'a newer version that this one may replace', collect, [])
    .option(
      '--release-key <hex>',
      'agents that accept it trust this key for releases from then on',
      collect,
      [],
    );
}

export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
