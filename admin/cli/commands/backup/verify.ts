import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { BackupSummary } from '../../../../actors/backup/messages.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import { withProgress } from '../../progress.ts';
import { runServerProgram } from '../../server-program.ts';
import type { OpenSession, Session } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { clockTime, fieldLines, plural } from '../../words.ts';
import { addSourceOptions, backupsPath, type SourceFlags, sourceArguments } from './shared.ts';

const checkTimeoutMs = 3_600_000;

interface Verified {
  readonly publicKey: string;
  readonly summary: BackupSummary;
}

export function addVerifyCommand(backup: Command, open: OpenSession): void {
  const verify = addSourceOptions(
    backup
      .command('verify')
      .argument('<file-or-name>', 'a file on this machine, or the name of a backup on the server')
      .description('read a backup whole and compare it with what was signed'),
  ).action(async (name: string, flags: SourceFlags) => {
    const it = await open();
    if (existsSync(name)) await verifyFile(it, name, flags);
    else await verifyOnServer(it, name);
  });
  examples(verify, [
    'vigocli backup verify vigo-20261122T054512Z-1f2e3d4c.tar.gz',
    'vigocli backup verify ./vigo.tar.gz.age --passphrase-file /root/vigo.pass',
  ]);
}

async function verifyFile(it: Session, file: string, flags: SourceFlags): Promise<void> {
  const run = () =>
    runServerProgram<Verified>(['backup', 'verify', file, ...sourceArguments(flags)]);
  const verified = await withProgress(it, 'Reading', run);
  it.print(verified, () => describe(file, verified));
}

/** By its hash: the server needs neither passphrase nor key for that. */
async function verifyOnServer(it: Session, name: string): Promise<void> {
  const path = `${backupsPath}/${encodeURIComponent(name)}/check`;
  const check = () => it.client.post<{ name: string; same: boolean }>(path, {}, checkTimeoutMs);
  const checked = await withProgress(it, 'Reading', check);
  if (!checked.same) {
    const detail = `${name} on the server is not the file that was made`;
    throw new AdminError('CLI_BACKUP_DAMAGED', detail);
  }
  it.print(checked, () => `${printable(name)} is the file that was made.`);
}

export function describe(file: string, { summary, publicKey }: Verified): string {
  return [
    `${printable(file)} is whole.`,
    fieldLines([
      ['Made', `${clockTime(summary.createdAtMs)} by ${printable(summary.createdBy)}`],
      ['Server', `vigosrv ${printable(summary.version)}, key ${publicKey}`],
      ['Policy', `version ${summary.policyVersion}`],
      ['Envoys', String(summary.envoys)],
      ['Audit', plural(summary.auditEntries, 'entry', 'entries')],
      ['Files', String(summary.files)],
      ...(summary.note === '' ? [] : [['Note', printable(summary.note)] as const]),
    ]),
  ].join('\n');
}
