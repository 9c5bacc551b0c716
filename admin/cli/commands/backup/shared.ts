import type { Command } from 'commander';
import type { BackupList, BackupProgress } from '../../../../actors/backup/messages.ts';
import type { Session } from '../../session.ts';

export const backupsPath = '/api/v1/backups';

/** How the file of an encrypted backup is opened. */
export interface SourceFlags {
  readonly passphraseFile?: string;
  readonly identity?: string;
  readonly key?: string;
}

export function addSourceOptions(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'file with the passphrase of an encrypted backup')
    .option('--identity <file>', 'file with the age key of an encrypted backup')
    .option('--key <hex>', 'public key of the server that must have made it');
}

/** The same for vigosrv. */
export function sourceArguments({ passphraseFile, identity, key }: SourceFlags): string[] {
  return [
    ...(passphraseFile === undefined ? [] : ['--passphrase-file', passphraseFile]),
    ...(identity === undefined ? [] : ['--identity', identity]),
    ...(key === undefined ? [] : ['--key', key]),
  ];
}

const phaseWords: Readonly<Record<BackupProgress['phase'], string>> = {
  database: 'database',
  files: 'files',
  packing: 'packing',
};

/** How far the server is with a backup. */
export async function backupProgress(it: Session): Promise<string> {
  const { running } = await it.client.get<BackupList>(backupsPath);
  if (running === null) return '';
  const { phase, done, total } = running;
  const share = total > 1 ? ` ${Math.round((100 * done) / total)} %` : '';
  return `${phaseWords[phase]}${share}`;
}
