import type { Command } from 'commander';
import type { EnvoyView, Page, RunView } from '../../api/backend.ts';
import { AdminError } from '../../errors.ts';
import { cursorOption, limitOption, stateOption } from '../options.ts';
import type { OpenSession, Session } from '../session.ts';
import type { Column } from '../table.ts';
import { printable } from '../terminal-text.ts';
import { ago, clockTime, fieldLines, stateWord } from '../words.ts';
import { runColumns } from './runs.ts';

const envoyStates = ['converged', 'changed', 'degraded', 'failed', 'no data', 'revoked'];

/** Nothing for an envoy that never was updated, or whose update is done. */
function updateWord({ update }: EnvoyView): string {
  return update === undefined || update.phase === 'accepted'
    ? '-'
    : `${update.phase} ${update.version}`;
}

function updateLines({ update }: EnvoyView): (readonly [string, string])[] {
  if (update === undefined) return [];
  const { version, phase, code, message, atMs } = update;
  const why = code === '' ? '' : `: ${printable(message)} [${code}]`;
  return [['Update', `${printable(version)} ${phase} ${ago(atMs, Date.now())}${why}`]];
}

const columns: readonly Column<EnvoyView>[] = [
  { title: 'HOST', value: (envoy) => envoy.hostname, flexible: true },
  {
    title: 'STATE',
    value: (envoy) => envoy.state,
    style: (cell, { state }) => stateWord(state, cell),
  },
  { title: 'LAST SEEN', value: (envoy) => ago(envoy.lastSeenMs, Date.now()) },
  { title: 'POLICY', value: (envoy) => String(envoy.policyVersion || '-'), align: 'right' },
  { title: 'AGENT', value: (envoy) => envoy.agentVersion, optional: true },
  { title: 'UPDATE', value: updateWord, optional: true },
  { title: 'ID', value: (envoy) => envoy.id, optional: true },
];

function describe(envoy: EnvoyView): string {
  return fieldLines([
    ['Host', printable(envoy.hostname)],
    ['ID', envoy.id],
    ['State', stateWord(envoy.state)],
    ['Last seen', ago(envoy.lastSeenMs, Date.now())],
    ['Policy', String(envoy.policyVersion || 'none yet')],
    ['Agent', printable(envoy.agentVersion)],
    ...updateLines(envoy),
    ['Enrolled', clockTime(envoy.enrolledAtMs)],
  ]);
}

export function addEnvoyCommands(program: Command, open: OpenSession): void {
  const envoys = program.command('envoys').description('the machines under management');

  envoys
    .command('list')
    .description('list envoys by host name')
    .option('--match <glob>', 'only host names that fit')
    .addOption(stateOption(envoyStates))
    .addOption(limitOption(100))
    .addOption(cursorOption())
    .action(async (options: Record<string, string>) => {
      const it = await open();
      const page = await it.client.get<Page<EnvoyView>>('/api/v1/envoys', options);
      it.list(page, columns, 'No envoys. Enroll one: vigocli tokens create --match "web-*"');
      if (page.next) it.note(`More: vigocli envoys list --cursor ${page.next}`);
    });

  envoys
    .command('show <host-or-id>')
    .description('show one envoy and its last runs')
    .action(async (name: string) => {
      const it = await open();
      const path = `/api/v1/envoys/${encodeURIComponent(name)}`;
      const envoy = await it.client.get<EnvoyView & { runs: RunView[] }>(path);
      it.print(envoy, () => {
        const runs = it.table(envoy.runs, runColumns) || 'No runs were reported yet.';
        return `${describe(envoy)}\n\n${runs}`;
      });
    });

  envoys
    .command('revoke <host-or-id>')
    .description('refuse this envoy from now on and for ever')
    .requiredOption('--reason <text>', 'kept in the audit log')
    .option('--confirm <host>', 'the host name again, instead of being asked')
    .action(async (name: string, options: { reason: string; confirm?: string }) => {
      const it = await open();
      const path = `/api/v1/envoys/${encodeURIComponent(name)}`;
      const envoy = await it.client.get<EnvoyView>(path);
      await confirmHost(it, envoy.hostname, options.confirm);
      const reply = await it.client.post(`/api/v1/envoys/${envoy.id}/revoke`, {
        reason: options.reason,
      });
      it.print(reply, () => `${printable(envoy.hostname)} (${envoy.id}) is revoked.`);
    });
}

/** There is no way back from a revocation, so the name has to be given twice. */
async function confirmHost(
  it: Session,
  hostname: string,
  confirmed: string | undefined,
): Promise<void> {
  let word = confirmed;
  if (word === undefined && process.stdin.isTTY && it.options.input !== false) {
    const { createInterface } = await import('node:readline/promises');
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    word = await prompt.question(
      `Type the host name ${printable(hostname)} to revoke it for ever: `,
    );
    prompt.close();
  }
  if (word === hostname) return;
  throw new AdminError(
    'CLI_USAGE',
    `revoking ${hostname} was not confirmed`,
    undefined,
    `add --confirm ${hostname}`,
  );
}
