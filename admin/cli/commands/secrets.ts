import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { SecretSummary } from '../../../actors/secrets/messages.ts';
import { AdminError } from '../../errors.ts';
import { readHidden, readStandardInput } from '../hidden-input.ts';
import type { OpenSession, Session } from '../session.ts';
import type { Column } from '../table.ts';
import { printable } from '../terminal-text.ts';
import { ago, plural } from '../words.ts';

const base = '/api/v1/secrets';
const rekeyTimeoutMs = 300_000;

interface Changed {
  readonly version: number;
  readonly epoch: number;
}

const columns: readonly Column<SecretSummary>[] = [
  { title: 'PATH', value: ({ path }) => path, flexible: true },
  { title: 'VERSION', value: ({ version }) => (version === 0 ? '-' : String(version)) },
  {
    title: 'CHANGED',
    value: ({ updatedAtMs }) => (updatedAtMs === 0 ? '-' : ago(updatedAtMs, Date.now())),
  },
  { title: 'BY', value: ({ updatedBy }) => updatedBy || '-', optional: true },
];

export function addSecretCommands(program: Command, open: OpenSession): void {
  const secrets = program.command('secrets').description('secrets that the policy refers to');
  addStoreCommands(secrets, open);

  secrets
    .command('set <path>')
    .description('set a secret from standard input, a prompt or a file')
    .option('--file <file>', 'take the value from this file, as it is')
    .action(async (path: string, options: { file?: string }) => {
      const it = await open();
      const value = await valueFor(it, path, options.file);
      if (value === '') throw new AdminError('CLI_USAGE', 'the value is empty');
      const changed = await it.client.post<Changed>(`${base}/set`, { path, value });
      it.print(changed, () => toldUsers(path, changed));
    });

  secrets
    .command('rotate <path>')
    .description('replace a secret by a random one')
    .option('--bytes <number>', 'random bytes, 8 to 1024; written in base64url', '32')
    .action(async (path: string, options: { bytes: string }) => {
      const it = await open();
      const bytes = Number(options.bytes);
      if (!Number.isInteger(bytes)) throw new AdminError('CLI_USAGE', '--bytes is not a number');
      const changed = await it.client.post<Changed>(`${base}/rotate`, { path, bytes });
      it.print(changed, () => toldUsers(path, changed));
    });

  secrets
    .command('refresh <paths...>')
    .description('tell the users of secrets that their external store has changed them')
    .action(async (paths: string[]) => {
      const it = await open();
      const changed = await it.client.post(`${base}/refresh`, { paths });
      it.print(changed, () => `Users of ${paths.map(printable).join(', ')} are told.`);
    });

  secrets
    .command('list')
    .description('list secrets, without their values')
    .action(async () => {
      const it = await open();
      const page = await it.client.get<{ items: SecretSummary[] }>(base);
      it.list(page, columns, 'No secrets. Set one: vigocli secrets set db/password');
    });

  secrets
    .command('reveal <path>')
    .description('print the value of a secret; audited')
    .action(async (path: string) => {
      const it = await open();
      const revealed = await it.client.post<{ value: string }>(`${base}/reveal`, { path });
      it.print(revealed, () => revealed.value);
    });
}

function addStoreCommands(secrets: Command, open: OpenSession): void {
  secrets
    .command('init')
    .description('make the master key of the local store')
    .action(async () => {
      const it = await open();
      const reply = await it.client.post(`${base}/init`, {});
      it.print(reply, () => 'The store is ready. Keep a copy of its key file in a safe place.');
    });

  secrets
    .command('rekey')
    .description('encrypt the local store under a new master key')
    .action(async () => {
      const it = await open();
      const reply = await it.client.post<{ secrets: number }>(`${base}/rekey`, {}, rekeyTimeoutMs);
      const count = plural(reply.secrets, 'secret is', 'secrets are');
      it.print(reply, () => `${count} encrypted under a new key. Copy the key file again.`);
    });
}

function toldUsers(path: string, { version }: Changed): string {
  const numbered = version === 0 ? '' : ` has version ${version}`;
  return `${printable(path)}${numbered}; its users get it at their next check-in.`;
}

/** Never from the command line: every user of a machine can read that. */
async function valueFor(it: Session, path: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return decoded(readingFile(file));
  if (!process.stdin.isTTY) return decoded(await readStandardInput()).replace(/\r?\n$/, '');
  if (it.options.input === false)
    throw new AdminError('CLI_USAGE', 'give the value by standard input or --file');
  return await readHidden(`Value of ${printable(path)} (not shown): `);
}

function readingFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', reason);
  }
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new AdminError('CLI_USAGE', 'the value is not UTF-8 text; encode it as base64');
  }
}
