import type { Command } from 'commander';
import type { OpenSession } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { pathOf } from './show.ts';

interface Answer {
  readonly hostname: string;
  readonly maintenance: boolean;
}

export function addMaintenanceCommands(envoys: Command, open: OpenSession): void {
  const maintenance = envoys
    .command('maintenance')
    .description('work on a machine: it converges as ever, and raises no alarm');
  maintenance
    .command('on <host-or-id>')
    .description('begin; kept in the audit log')
    .requiredOption('--reason <text>', 'what is done, for those who wonder')
    .action(async (name: string, { reason }: { reason: string }) => {
      const it = await open();
      const reply = await it.client.put<Answer>(`${pathOf(name)}/maintenance`, { reason });
      it.print(reply, () => `${printable(reply.hostname)} is in maintenance.`);
    });
  maintenance
    .command('off <host-or-id>')
    .description('end it')
    .action(async (name: string) => {
      const it = await open();
      const reply = await it.client.delete<Answer>(`${pathOf(name)}/maintenance`);
      it.print(reply, () => `${printable(reply.hostname)} is no longer in maintenance.`);
    });
}
