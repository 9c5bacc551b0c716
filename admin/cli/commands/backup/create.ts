import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { BackupView } from '../../../../actors/backup/messages.ts';
import { AdminError } from '../../../errors.ts';
import { download } from '../../download.ts';
import { examples } from '../../examples.ts';
import { withProgress } from '../../progress.ts';
import type { OpenSession, Session } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { plural, sizeWords } from '../../words.ts';
import { backupProgress, backupsPath } from './shared.ts';

/** A large database is copied, packed and encrypted. */
const createTimeoutMs = 3_600_000;
const keepMax = 1000;

interface CreateOptions {
  readonly output?: string;
  readonly passphraseFile?: string;
  readonly recipient?: readonly string[];
  readonly note?: string;
  readonly keep?: number;
  readonly agents: boolean;
  readonly force?: boolean;
}

export function addCreateCommand(backup: Command, open: OpenSession): void {
  const create = backup
    .command('create')
    .description('make a backup while the server runs')
    .option('--output <file>', 'also take it off the server, into this file')
    .option('--passphrase-file <file>', 'encrypt to the passphrase in this file (age)')
    .option('--recipient <key...>', 'encrypt to public keys of age, "age1..."')
    .option('--note <text>', 'why, for the list')
    .option('--keep <number>', 'remove older ones until so many are left', parseKeep)
    .option('--no-agents', "leave out the agent's programs")
    .option('--force', 'overwrite the file of --output')
    .action(async (options: CreateOptions) => {
      const it = await open();
      const body = {
        agents: options.agents,
        ...(options.note === undefined ? {} : { note: options.note }),
        ...(options.keep === undefined ? {} : { keep: options.keep }),
        ...(options.recipient === undefined ? {} : { recipients: options.recipient }),
        ...(options.passphraseFile === undefined
          ? {}
          : { passphrase: readPassphrase(options.passphraseFile) }),
      };
      const make = () => it.client.post<BackupView>(backupsPath, body, createTimeoutMs);
      const view = await withProgress(it, 'Backup', make, () => backupProgress(it));
      if (options.output !== undefined)
        await take(it, view, options.output, options.force === true);
      it.print(view, () => describe(view, options.output));
      if (!view.encrypted) {
        it.note(
          'It holds the keys of your fleet and is not encrypted: keep it as safe as the server, or use ' +
            '--passphrase-file or --recipient.',
        );
      }
    });
  examples(create, [
    'vigocli backup create',
    'vigocli backup create --passphrase-file /root/vigo.pass --output /mnt/backup/vigo.tar.gz.age',
    'vigocli backup create --recipient age1q8m4example --keep 7 --note "nightly"',
  ]);
}

async function take(
  it: Session,
  { name, sha256, bytes }: BackupView,
  file: string,
  overwrite: boolean,
): Promise<void> {
  let come = 0;
  const order = {
    connection: it.connection,
    path: `${backupsPath}/${name}/content`,
    file,
    sha256,
    overwrite,
    tell: (count: number) => {
      come = count;
    },
  };
  const words = async () => `${sizeWords(come)} of ${sizeWords(bytes)}`;
  await withProgress(it, 'Download', () => download(order), words);
}

function describe(view: BackupView, output: string | undefined): string {
  const how = view.encrypted ? 'encrypted' : 'not encrypted';
  const where = output === undefined ? [] : [`Also in ${printable(output)}.`];
  const missing = view.missing.map((path) => `Not in it: ${printable(path)}`);
  return [
    `${view.name}: ${sizeWords(view.bytes)}, ${how}.`,
    `Policy version ${view.policyVersion}, ${plural(view.envoys, 'envoy')}, ` +
      `${plural(view.auditEntries, 'audit entry', 'audit entries')}, ${plural(view.files, 'file')}.`,
    ...where,
    ...missing,
  ].join('\n');
}

/** Never from the command line: every user of a machine can read that. */
function readPassphrase(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', reason);
  }
}

function parseKeep(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= keepMax) return Number(text);
  throw new InvalidArgumentError(`It is not a number from 1 to ${keepMax}.`);
}
