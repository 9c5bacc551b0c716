import type { Command } from 'commander';
import type { PublishResult } from '../../../../actors/publish/messages.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import { tellPublished } from './publish.ts';
import { parseVersion, publishTimeoutMs } from './shared.ts';

interface RollbackOptions {
  readonly message: string;
  readonly expectVersion?: string;
}

export function addRollbackCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('rollback')
    .argument('[version]', 'the version whose stack comes back; default: the one before')
    .description('make the stack of an earlier version live again, as a new version')
    .option('-m, --message <text>', 'why, for the history', '')
    .option('--expect-version <number>', 'refuse when another version is live')
    .action(async (version: string | undefined, options: RollbackOptions) => {
      const it = await open();
      const { message, expectVersion } = options;
      const body = {
        message,
        ...(version === undefined ? {} : { version: parseVersion(version) }),
        ...(expectVersion === undefined ? {} : { expectedVersion: parseVersion(expectVersion) }),
      };
      const path = '/api/v1/config/rollback';
      const result = await it.client.post<PublishResult>(path, body, publishTimeoutMs);
      await tellPublished(it, result, false);
    });
  examples(command, [
    'vigocli config rollback -m "login fails since version 8"',
    'vigocli config rollback 5 -m "the last one without the new kernel"',
  ]);
}
