import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { AuditView, CheckpointView, Page } from '../../api/backend.ts';
import type { Client } from '../client.ts';
import { limitOption } from '../options.ts';
import type { OpenSession } from '../session.ts';
import type { Column } from '../table.ts';
import { escapeJson } from '../terminal-text.ts';
import { ago } from '../words.ts';
import { addAuditProofCommands } from './audit-proofs.ts';

const pageSize = 500;

const columns: readonly Column<AuditView>[] = [
  { title: 'SEQ', value: (entry) => String(entry.sequence), align: 'right' },
  { title: 'WHEN', value: (entry) => ago(entry.atMs, Date.now()) },
  { title: 'EVENT', value: (entry) => entry.type },
  { title: 'BY', value: (entry) => entry.actor, flexible: true },
  { title: 'SUBJECT', value: (entry) => entry.subject, flexible: true },
  { title: 'DETAILS', value: (entry) => details(entry), flexible: true, optional: true },
];

function details(entry: AuditView): string {
  const pairs = Object.entries(entry.details).map(([name, value]) => `${name}=${value}`);
  return pairs.join(' ');
}

/** Every entry of the log, in order, page by page. */
export async function* wholeLog(client: Client) {
  let after = 0;
  while (true) {
    const page = await client.get<Page<AuditView>>('/api/v1/audit', { after, limit: pageSize });
    for (const { sequence, hash, previousHash: _, ...event } of page.items)
      yield { sequence, hash, event };
    const last = page.items.at(-1);
    if (!last || page.items.length < pageSize) return;
    after = last.sequence;
  }
}

export function addAuditCommands(program: Command, open: OpenSession): void {
  const audit = program.command('audit').description('who did what, and the proof');

  audit
    .command('list')
    .description('list the newest entries, oldest first')
    .option('--after <sequence>', 'entries behind this one instead')
    .option('--type <type>', 'only this type of event, e.g. enrollment.accepted')
    .addOption(limitOption(30))
    .action(async (options: Record<string, string>) => {
      const it = await open();
      const page = await it.client.get<Page<AuditView>>('/api/v1/audit', {
        ...(options.after === undefined ? { newest: 'true' } : {}),
        ...options,
      });
      it.list(page, columns, 'The audit log has no such entries.');
    });

  audit
    .command('export')
    .description(
      'print the whole log as JSON lines, with its signed checkpoint, for an offline check',
    )
    .action(async () => {
      const { checkpointLine, exportLine } = await import('../../../actors/audit/export.ts');
      const it = await open();
      const checkpoint = await it.client.get<CheckpointView>('/api/v1/audit/checkpoint');
      process.stdout.write(`${escapeJson(checkpointLine(checkpoint))}\n`);
      for await (const row of wholeLog(it.client)) {
        process.stdout.write(`${escapeJson(exportLine(row))}\n`);
      }
    });

  audit
    .command('acknowledge-restore')
    .description('say that the log was restored from a backup: envoys take the shorter log')
    .requiredOption('--through <entries>', 'how many entries envoys have seen, at most')
    .requiredOption('--reason <text>', 'what happened; it stands in the log for ever')
    .action(async ({ through, reason }: { through: string; reason: string }) => {
      const it = await open();
      const reply = await it.client.post<{ sequence: number; size: number }>(
        '/api/v1/audit/restore-acknowledgement',
        { through: Number(through), reason },
      );
      const { sequence } = reply;
      it.print(reply, () =>
        [
          `${styleText('yellow', 'Acknowledged')} as entry ${sequence}, under your name.`,
          `Envoys that have seen up to ${through} entries take the restored log at their next check-in.`,
        ].join('\n'),
      );
    });

  addAuditProofCommands(audit, open);
}
