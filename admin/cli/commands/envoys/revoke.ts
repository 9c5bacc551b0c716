import type { Command } from 'commander';
import type { EnvoyView } from '../../../api/backend.ts';
import { AdminError } from '../../../errors.ts';
import type { OpenSession, Session } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { pathOf } from './show.ts';

export function addRevokeCommand(envoys: Command, open: OpenSession): void {
  envoys
    .command('revoke <host-or-id>')
    .description('refuse this envoy from now on and for ever')
    .requiredOption('--reason <text>', 'kept in the audit log')
    .option('--confirm <host>', 'the host name again, instead of being asked')
    .action(async (name: string, options: { reason: string; confirm?: string }) => {
      const it = await open();
      const envoy = await it.client.get<EnvoyView>(pathOf(name));
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
