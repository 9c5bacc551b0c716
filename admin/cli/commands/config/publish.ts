import type { Command } from 'commander';
import type { PublishResult } from '../../../../actors/publish/messages.ts';
import type { OpenSession, Session } from '../../session.ts';
import { plural } from '../../words.ts';
import { extent, printDiagnostics, publishTimeoutMs, showingDiagnostics } from './shared.ts';

export function addPublishCommand(config: Command, open: OpenSession): void {
  config
    .command('publish')
    .description(
      'check the stack, compile it and make it the policy of the fleet, or change nothing',
    )
    .option('-m, --message <text>', 'why, for the history', '')
    .action(async (options: { message: string }) => publish(await open(), options.message));
}

async function publish(it: Session, message: string): Promise<void> {
  const path = '/api/v1/config/publish';
  const result = await showingDiagnostics(it, () =>
    it.client.post<PublishResult>(path, { message }, publishTimeoutMs),
  );
  printDiagnostics(it, result.diagnostics);
  it.print(result, () =>
    result.changed
      ? `Published version ${result.version}: ${extent(result)}; ` +
        `${plural(result.changedEnvoys, 'envoy')} of ${result.totalEnvoys} will change policy.`
      : `Nothing changed: version ${result.version} has these files already.`,
  );
}
