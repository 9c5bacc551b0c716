import type { Command } from 'commander';
import type { FreezeView } from '../../../../actors/publish/version.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import { clockTime, parseDuration } from '../../words.ts';

interface FreezeOptions {
  readonly message: string;
  readonly for?: string;
  readonly until?: string;
}

export function addFreezeCommands(config: Command, open: OpenSession): void {
  const freeze = config
    .command('freeze')
    .description('refuse every publish until a time, or until it is lifted; rollbacks still work')
    .requiredOption('-m, --message <text>', 'why; whoever is refused reads it')
    .option('--for <duration>', 'how long, e.g. 2h')
    .option('--until <time>', 'ISO time, e.g. 2027-01-04T06:00Z')
    .action(async (options: FreezeOptions) => {
      const it = await open();
      const body = { reason: options.message, ...endOf(options) };
      const frozen = await it.client.post<FreezeView>('/api/v1/config/freeze', body);
      it.print(frozen, () => `Frozen ${untilWords(frozen)}.`);
    });
  examples(freeze, [
    'vigocli config freeze -m "sale of the year" --until 2027-01-04T06:00Z',
    'vigocli config freeze -m "incident 4711" --for 2h',
  ]);

  config
    .command('unfreeze')
    .description('lift the freeze')
    .requiredOption('-m, --message <text>', 'why, for the audit log')
    .action(async ({ message }: { message: string }) => {
      const it = await open();
      const body = { reason: message };
      const reply = await it.client.post<{ wasFrozen: boolean }>('/api/v1/config/unfreeze', body);
      it.print(reply, () => (reply.wasFrozen ? 'The freeze is lifted.' : 'There was no freeze.'));
    });
}

function endOf(options: FreezeOptions): { forMs?: number; untilMs?: number } {
  if (options.for !== undefined && options.until !== undefined) {
    throw new AdminError('CLI_USAGE', 'give --for or --until, not both');
  }
  if (options.for !== undefined) return { forMs: parseDuration(options.for) };
  if (options.until === undefined) return {};
  const untilMs = Date.parse(options.until);
  if (Number.isNaN(untilMs)) {
    throw new AdminError('CLI_USAGE', `"${options.until}" is no time like 2027-01-04T06:00Z`);
  }
  return { untilMs };
}

export function untilWords({ untilMs }: FreezeView): string {
  return untilMs === undefined ? 'until it is lifted' : `until ${clockTime(untilMs)}`;
}
