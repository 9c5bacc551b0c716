import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { BackupSummary } from '../../../../actors/backup/messages.ts';
import { AdminError } from '../../../errors.ts';
import { localHome } from '../../connection.ts';
import { examples } from '../../examples.ts';
import { withProgress } from '../../progress.ts';
import { runServerProgram } from '../../server-program.ts';
import type { OpenSession } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { clockTime } from '../../words.ts';
import { addSourceOptions, type SourceFlags, sourceArguments } from './shared.ts';

interface RestoreFlags extends SourceFlags {
  readonly into?: string;
  readonly force?: boolean;
}

interface Restored {
  readonly home: string;
  readonly summary: BackupSummary;
  readonly publicKey: string;
  readonly replaced?: string;
  readonly auditEntriesBefore: number;
}

export function addRestoreCommand(backup: Command, open: OpenSession): void {
  const restore = addSourceOptions(
    backup
      .command('restore')
      .argument('<file>', 'the backup, on this machine')
      .description('put a backup in the place of a server on this machine, which is stopped'),
  )
    .option('--into <dir>', 'home of the server (as --home; default /srv/vigo)')
    .option('--force', 'replace a server that lives there; what is replaced is kept beside it')
    .action(async (file: string, flags: RestoreFlags) => {
      const it = await open();
      const home = flags.into ?? localHome(it.options, process.env);
      if (home === undefined) {
        const detail = 'it is not said where the server is to live';
        throw new AdminError('CLI_USAGE', detail, undefined, 'name its home with --into DIR');
      }
      const run = () =>
        runServerProgram<Restored>([
          ...['backup', 'restore', resolve(file), '--home', resolve(home)],
          ...sourceArguments(flags),
          ...(flags.force === true ? ['--force'] : []),
        ]);
      const restored = await withProgress(it, 'Restore', run);
      it.print(restored, () => describe(restored));
    });
  examples(restore, [
    'vigocli backup restore vigo-20261122T054512Z-1f2e3d4c.tar.gz --into /srv/vigo',
    'vigocli backup restore vigo.tar.gz.age --passphrase-file /root/vigo.pass --into /srv/vigo --force',
  ]);
}

function describe({ home, summary, replaced, auditEntriesBefore }: Restored): string {
  const seen = Math.max(auditEntriesBefore, summary.auditEntries);
  const through = auditEntriesBefore > 0 ? String(seen) : '<entries that envoys have seen>';
  return [
    `Restored into ${printable(home)}, as it was at ${clockTime(summary.createdAtMs)}.`,
    ...(replaced === undefined ? [] : [`What was there is kept in ${printable(replaced)}.`]),
    'Next:',
    `  vigosrv start --home ${printable(home)}`,
    '  vigocli doctor',
    `  vigocli audit acknowledge-restore --through ${through} --reason "..."`,
    '  vigocli config publish -m "after the restore"',
  ].join('\n');
}
