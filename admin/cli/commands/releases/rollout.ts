import type { Command } from 'commander';
import type { ReleaseList, ReleaseRolloutView } from '../../../../actors/releases/messages.ts';
import type { AgentVersionCount } from '../../../api/backend.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { ago, plural } from '../../words.ts';
import { collect } from './flags.ts';

const base = '/api/v1/releases';

interface RolloutFlags {
  readonly percent?: string;
  readonly match: string[];
  readonly trialCheckIns?: string;
  readonly trialSeconds?: string;
  readonly maxFailures?: string;
  readonly message: string;
}

/** What the listing of releases answers. */
export type ReleasesAnswer = ReleaseList & { readonly fleet: readonly AgentVersionCount[] };

const orders = [
  ['pause', 'nobody else begins; who is on trial goes on'],
  ['resume', 'go on with a paused rollout'],
  ['stop', 'end the rollout; who has the version keeps it'],
] as const;

export function addRolloutCommands(releases: Command, open: OpenSession): void {
  addRolloutCommand(releases, open);
  addOrderCommands(releases, open);
  addStatusCommand(releases, open);
}

function addRolloutCommand(releases: Command, open: OpenSession): void {
  const rollout = releases
    .command('rollout <version>')
    .description('send a part of the fleet to a version; run again with a larger part')
    .option('--percent <number>', 'share of all envoys')
    .option('--match <glob>', 'host names that are in, whatever the share', collect, [])
    .option('--trial-check-ins <number>', 'check-ins that prove the version on an envoy (3)')
    .option('--trial-seconds <number>', 'time for them, before the old version comes back (300)')
    .option('--max-failures <number>', 'envoys that may fail before it pauses by itself (3)')
    .option('-m, --message <text>', 'why, for the audit log', '')
    .action(async (version: string, flags: RolloutFlags) => {
      const it = await open();
      const view = await it.client.post<ReleaseRolloutView>(
        `${base}/${encodeURIComponent(version)}/rollout`,
        {
          percent: numberOf('--percent', flags.percent) ?? 0,
          match: flags.match,
          trialCheckIns: numberOf('--trial-check-ins', flags.trialCheckIns),
          trialSeconds: numberOf('--trial-seconds', flags.trialSeconds),
          maxFailures: numberOf('--max-failures', flags.maxFailures),
          reason: flags.message,
        },
      );
      it.print(view, () => rolloutWords(view));
    });
  examples(rollout, [
    'vigocli releases rollout 0.2.0 --match "canary-*"',
    'vigocli releases rollout 0.2.0 --percent 10',
  ]);
}

function addOrderCommands(releases: Command, open: OpenSession): void {
  releases
    .command('promote <version>')
    .description('send every envoy to a version')
    .option('-m, --message <text>', 'why, for the audit log', '')
    .action(async (version: string, { message }: { message: string }) => {
      const it = await open();
      const path = `${base}/${encodeURIComponent(version)}/rollout`;
      const view = await it.client.post<ReleaseRolloutView>(path, {
        percent: 100,
        reason: message,
      });
      it.print(view, () => rolloutWords(view));
    });

  for (const [order, description] of orders) {
    releases
      .command(order)
      .description(description)
      .option('-m, --message <text>', 'why, for the audit log', '')
      .action(async ({ message }: { message: string }) => {
        const it = await open();
        const path = `${base}/rollout/${order}`;
        const view = await it.client.post<ReleaseRolloutView>(path, { reason: message });
        it.print(view, () => rolloutWords(view));
      });
  }

  releases
    .command('return <version>')
    .description('send the envoys that run this version back to an older one')
    .requiredOption('--to <version>', 'where they go')
    .option('-m, --message <text>', 'why, for the audit log', '')
    .action(async (version: string, { to, message }: { to: string; message: string }) => {
      const it = await open();
      const path = `${base}/${encodeURIComponent(version)}/return`;
      const view = await it.client.post<ReleaseRolloutView>(path, { to, reason: message });
      it.print(view, () => rolloutWords(view));
    });
}

function addStatusCommand(releases: Command, open: OpenSession): void {
  releases
    .command('status')
    .description('show the rollout and which versions the fleet runs')
    .action(async () => {
      const it = await open();
      const { rollout, fleet } = await it.client.get<ReleasesAnswer>(base);
      it.print({ rollout: rollout ?? null, fleet }, () =>
        [
          rollout ? rolloutWords(rollout) : 'No release was rolled out yet.',
          ...fleet.map(
            ({ version, envoys, updating, failed }) =>
              `  ${printable(version).padEnd(16)}${plural(envoys, 'envoy')}` +
              `${updating > 0 ? `, ${updating} updating` : ''}${failed > 0 ? `, ${failed} failed` : ''}`,
          ),
        ].join('\n'),
      );
    });
}

export function rolloutWords(view: ReleaseRolloutView): string {
  const { version, status, percent, match, from, failures, maxFailures, reason } = view;
  const who = [
    ...(percent > 0 ? [`${percent} % of the fleet`] : []),
    ...match.map(printable),
    ...(from.length > 0 ? [`only those that run ${from.join(', ')}`] : []),
  ].join(', ');
  const why = reason === '' ? '' : `: ${printable(reason)}`;
  return (
    `Release ${version} is ${status} (${who}), ${failures} of at most ${maxFailures} failed; ` +
    `changed ${ago(view.changedAtMs, Date.now())} by ${printable(view.changedBy)}${why}.`
  );
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text.replace(/%$/, ''));
  if (text !== '' && Number.isFinite(value)) return value;
  throw new AdminError('CLI_USAGE', `${option} ${text} is not a number`);
}
