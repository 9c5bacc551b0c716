import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { AuditHead, AuditRow } from '../../../actors/audit/chain.ts';
import type { AuditView, Page } from '../../api/backend.ts';
import { AdminError } from '../../errors.ts';
import type { Client } from '../client.ts';
import { limitOption } from '../options.ts';
import type { OpenSession, Session } from '../session.ts';
import type { Column } from '../table.ts';
import { escapeJson } from '../terminal-text.ts';
import { ago, plural } from '../words.ts';

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
async function* wholeLog(client: Client): AsyncGenerator<AuditRow> {
  let after = 0;
  while (true) {
    const page = await client.get<Page<AuditView>>('/api/v1/audit', { after, limit: pageSize });
    for (const { sequence, hash, ...event } of page.items) yield { sequence, hash, event };
    const last = page.items.at(-1);
    if (!last || page.items.length < pageSize) return;
    after = last.sequence;
  }
}

async function* exportedRows(path: string): AsyncGenerator<AuditRow> {
  const { open } = await import('node:fs/promises');
  const { readExport } = await import('../../../actors/audit/export.ts');
  try {
    const file = await open(path);
    yield* readExport(file.readLines(), path);
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : new AdminError('CLI_FILE_UNREADABLE', message);
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
    .description('print the whole log as JSON lines, for an offline check')
    .action(async () => {
      const { exportLine } = await import('../../../actors/audit/export.ts');
      const it = await open();
      for await (const row of wholeLog(it.client)) {
        process.stdout.write(`${escapeJson(exportLine(row))}\n`);
      }
    });

  audit
    .command('verify')
    .description('recompute the hash chain here, on the log of the server or on an export')
    .option('--file <export>', 'check this export, without a server')
    .option('--expect-head <hash>', 'a head noted earlier, which the log must contain')
    .action(async (options: { file?: string; expectHead?: string }) => {
      const it = await open();
      const rows = options.file ? exportedRows(options.file) : wholeLog(it.client);
      printHead(it, await verify(rows, options.expectHead));
    });
}

async function verify(rows: AsyncIterable<AuditRow>, expected?: string): Promise<AuditHead> {
  const { verifyChain } = await import('../../../actors/audit/chain.ts');
  try {
    return await verifyChain(rows, expected);
  } catch (error) {
    const coded = error as { code?: string; message: string; remedy?: string };
    if (!coded.code?.startsWith('AUDIT_')) throw error;
    throw new AdminError('CLI_AUDIT_BROKEN', coded.message, { code: coded.code }, coded.remedy);
  }
}

function printHead(it: Session, head: AuditHead): void {
  it.print({ verified: true, entries: head.sequence, head: head.hash }, () =>
    [
      `${styleText('green', 'The chain verifies')}: ${plural(head.sequence, 'entry', 'entries')}.`,
      `Head: ${head.hash}`,
    ].join('\n'),
  );
  it.note('Note the head elsewhere: --expect-head then also shows whether the end was cut off.');
}
