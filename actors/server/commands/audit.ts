import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
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

export interface VerifyFlags extends AuditSourceFlags {
  readonly expectHead?: string;
  readonly json?: boolean;
}

export async function printVerified(flags: VerifyFlags): Promise<void> {
  const head = await verifyAudit(flags, flags.expectHead);
  process.stdout.write(flags.json === true ? `${JSON.stringify(head)}\n` : describe(head));
}

/** The log as JSON lines, for an auditor or an archive. */
export async function printExport(source: AuditSourceFlags): Promise<void> {
  for await (const row of await auditRows(source)) {
    process.stdout.write(`${exportLine(row)}\n`);
  }
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

function describe({ sequence, hash }: AuditHead): string {
  return [
    `The audit log is whole: ${sequence} entries.`,
    `Head: ${hash}`,
    'Keep the head somewhere else: a later `--expect-head` shows whether the log was cut.',
    '',
  ].join('\n');
}
