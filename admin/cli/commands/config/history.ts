import type { Command } from 'commander';
import type { PolicyVersionView } from '../../../api/backend.ts';
import { limitOption } from '../../options.ts';
import type { OpenSession } from '../../session.ts';
import type { Column } from '../../table.ts';
import { ago } from '../../words.ts';

const columns: readonly Column<PolicyVersionView>[] = [
  { title: 'VERSION', value: (version) => String(version.version), align: 'right' },
  { title: 'PUBLISHED', value: (version) => ago(version.publishedAtMs, Date.now()) },
  { title: 'BY', value: (version) => version.publishedBy },
  { title: 'ENVOYS', value: (version) => String(version.changedEnvoys), align: 'right' },
  {
    title: 'BUNDLES',
    value: (version) => String(version.bundles),
    align: 'right',
    optional: true,
  },
  { title: 'MESSAGE', value: (version) => version.message, flexible: true },
];

export function addHistoryCommand(config: Command, open: OpenSession): void {
  config
    .command('history')
    .description('list policy versions, newest first')
    .addOption(limitOption(20))
    .action(async (options: Record<string, string>) => {
      const it = await open();
      const path = '/api/v1/config/history';
      const page = await it.client.get<{ items: PolicyVersionView[] }>(path, options);
      it.list(page, columns, 'Nothing was published yet: vigocli config publish');
    });
}
