import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { type AuditHead, type AuditRow, verifyChain } from '../../audit/chain.ts';
import { exportLine, readExport } from '../../audit/export.ts';
import { ServerError } from '../../errors.ts';
import { readAuditRows } from '../../sink/audit-rows.ts';
import { loadConfig } from '../config/load.ts';
import { homeLayout } from '../home/layout.ts';

export interface AuditSourceFlags {
  readonly home?: string;
  readonly database?: string;
  readonly export?: string;
}

interface VerifyFlags extends AuditSourceFlags {
  readonly expectHead?: string;
  readonly json?: boolean;
}

export function addAuditCommands(program: Command, defaultHome: string): void {
  const audit = program.command('audit').description('work with the audit log, without the server');
  audit
    .command('verify')
    .description('check the hash chain from its first entry to its head')
    .option('--home <directory>', `the server home (default ${defaultHome})`)
    .option('--database <file>', 'a database file instead')
    .option('--export <file>', 'an export (JSON lines) instead')
    .option('--expect-head <hash>', 'a head that was noted earlier; finds a log that was cut')
    .option('--json', 'print the head as JSON')
    .action(async (flags: VerifyFlags) => {
      const head = await verifyAudit(withHome(flags, defaultHome), flags.expectHead);
      process.stdout.write(flags.json === true ? `${JSON.stringify(head)}\n` : describe(head));
    });
  audit
    .command('export')
    .description('print the log as JSON lines')
    .option('--home <directory>', `the server home (default ${defaultHome})`)
    .option('--database <file>', 'a database file instead')
    .action(async (flags: AuditSourceFlags) => {
      for await (const row of await auditRows(withHome(flags, defaultHome))) {
        process.stdout.write(`${exportLine(row)}\n`);
      }
    });
}

/** The head of a whole and unchanged log. Throws AUDIT_CHAIN_BROKEN, _HEAD_MISMATCH, _UNREADABLE. */
export async function verifyAudit(
  source: AuditSourceFlags,
  expectedHead?: string,
): Promise<AuditHead> {
  return await verifyChain(await auditRows(source), expectedHead?.toLowerCase());
}

async function auditRows(
  source: AuditSourceFlags,
): Promise<Iterable<AuditRow> | AsyncIterable<AuditRow>> {
  if (source.export !== undefined) {
    if (!existsSync(source.export)) {
      throw new ServerError('AUDIT_UNREADABLE', { file: source.export, reason: 'no such file' });
    }
    const input = createReadStream(source.export, 'utf8');
    return readExport(createInterface({ input }), source.export);
  }
  if (source.database !== undefined) return readAuditRows(source.database);
  const layout = homeLayout(source.home ?? '.');
  const config = await loadConfig({ file: layout.configFile, home: layout.root });
  return readAuditRows(config.database.file);
}

function withHome(flags: AuditSourceFlags, defaultHome: string): AuditSourceFlags {
  const named = flags.database ?? flags.export ?? flags.home;
  return named === undefined ? { ...flags, home: defaultHome } : flags;
}

function describe({ sequence, hash }: AuditHead): string {
  return [
    `The audit log is whole: ${sequence} entries.`,
    `Head: ${hash}`,
    'Keep the head somewhere else: a later `--expect-head` shows whether the log was cut.',
    '',
  ].join('\n');
}
