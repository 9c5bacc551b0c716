import type { Command } from 'commander';
import type { RolloutView } from '../../../../actors/rollout/messages.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import {
  followRollout,
  type RolloutAnswer,
  rolloutExitCode,
  rolloutPath,
} from './follow-rollout.ts';
import { describeRollout, stageWords } from './rollout-text.ts';
import { publishTimeoutMs } from './shared.ts';

const orders = [
  ['pause', 'hold the rollout; a failure still rolls back'],
  ['resume', 'let a paused rollout go on'],
  ['abort', 'end the rollout and bring the last good version back'],
  ['finish', 'give the version to every envoy at once and stop watching'],
] as const;

export function addRolloutCommands(config: Command, open: OpenSession): void {
  const rollout = config.command('rollout').description('the staged rollout of a version');

  const status = rollout
    .command('status')
    .description('show the rollout under way, or the last one, with the health of its envoys')
    .option('--wait', 'follow it to its end')
    .action(async ({ wait }: { wait?: boolean }) => {
      const it = await open();
      let { rollout: view } = await it.client.get<RolloutAnswer>(rolloutPath);
      if (wait && view) {
        view = (await followRollout(it, view.version)) ?? view;
        process.exitCode = rolloutExitCode(view);
      }
      it.print({ rollout: view }, () =>
        view ? describeRollout(view, Date.now()) : 'No version was rolled out in stages yet.',
      );
    });
  examples(status, ['vigocli config rollout status', 'vigocli config rollout status --wait']);

  for (const [order, description] of orders) {
    rollout
      .command(order)
      .description(description)
      .option('-m, --message <text>', 'why, for the audit log', '')
      .action(async ({ message }: { message: string }) => {
        const it = await open();
        const path = `${rolloutPath}/${order}`;
        const body = { reason: message };
        const view = await it.client.post<RolloutView>(path, body, publishTimeoutMs);
        it.print(view, () => stageWords(view));
      });
  }
}
