import type { Command } from 'commander';
import type { BackupList, BackupView } from '../../../../actors/backup/messages.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import type { Column } from '../../table.ts';
import { ago, sizeWords } from '../../words.ts';
import { backupsPath } from './shared.ts';

const columns: readonly Column<BackupView>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'MADE', value: ({ createdAtMs }) => ago(createdAtMs, Date.now()) },
  {
    title: 'SIZE',
    value: ({ bytes }) => String(bytes),
    brief: ({ bytes }) => sizeWords(bytes),
    align: 'right',
  },
  { title: 'ENCRYPTED', value: ({ encrypted }) => (encrypted ? 'yes' : 'no') },
  { title: 'POLICY', value: ({ policyVersion }) => String(policyVersion), align: 'right' },
  { title: 'ENVOYS', value: ({ envoys }) => String(envoys), align: 'right', optional: true },
  { title: 'NOTE', value: ({ note }) => note || '-', flexible: true, optional: true },
];

export function addListCommand(backup: Command, open: OpenSession): void {
  const list = backup
    .command('list')
    .description('list the backups on the server, newest first')
    .action(async () => {
      const it = await open();
      const page = await it.client.get<BackupList>(backupsPath);
      it.list(page, columns, 'No backups. Make one: vigocli backup create');
      if (page.running !== null) it.note('One is being made now.');
    });
  examples(list, ['vigocli backup list', 'vigocli backup list --json']);
}
