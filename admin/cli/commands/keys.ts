import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { AccountKeyRecord } from '../../../actors/federation/messages.ts';
import { AdminError } from '../../errors.ts';
import { examples } from '../examples.ts';
import { readStandardInput } from '../hidden-input.ts';
import type { OpenSession, Session } from '../session.ts';
import type { Column } from '../table.ts';
import { printable } from '../terminal-text.ts';
import { ago } from '../words.ts';

const ownKeys = '/api/v1/account/keys';
const keysOf = (user: string) => `/api/v1/users/${encodeURIComponent(user)}/keys`;

const columns: readonly Column<AccountKeyRecord>[] = [
  { title: 'FINGERPRINT', value: (key) => key.fingerprint },
  { title: 'COMMENT', value: (key) => key.comment || '-', flexible: true },
  { title: 'ADDED', value: (key) => ago(key.createdAtMs, Date.now()) },
  { title: 'BY', value: (key) => key.createdBy, optional: true },
];

/** Keys of the own account. */
export function addOwnKeyCommands(auth: Command, open: OpenSession): void {
  const add = auth
    .command('add-key <file>')
    .description('add a public key to log in with; it takes a login of the last ten minutes')
    .option('--comment <text>', 'what it is called; without it as the file says')
    .action(async (file: string, { comment }: { comment?: string }) => {
      await addKey(await open(), ownKeys, file, comment);
    });
  examples(add, ['vigocli auth add-key ~/.ssh/id_ed25519.pub']);

  const list = auth
    .command('list-keys')
    .description('list the keys that you may log in with')
    .action(async () => {
      await listKeys(await open(), ownKeys, 'No keys. Add one: vigocli auth add-key FILE');
    });
  examples(list, ['vigocli auth list-keys']);

  const remove = auth
    .command('remove-key <fingerprint>')
    .description('remove a key of your own')
    .action(async (fingerprint: string) => {
      await removeKey(await open(), ownKeys, fingerprint);
    });
  examples(remove, ['vigocli auth remove-key SHA256:5Yb0Xb2f1Kc7mYb0Xb2f1Kc7mYb0Xb2f1Kc7mYb0Xb2']);
}

/** Keys and provider identities of other accounts. */
export function addUserProofCommands(users: Command, open: OpenSession): void {
  const add = users
    .command('add-key <user> <file>')
    .description('add a public key with which the owner of the account may log in')
    .option('--comment <text>', 'what it is called; without it as the file says')
    .action(async (user: string, file: string, { comment }: { comment?: string }) => {
      await addKey(await open(), keysOf(user), file, comment);
    });
  examples(add, ['vigocli users add-key grace grace.pub', 'vigocli users add-key grace -']);

  const list = users
    .command('list-keys <user>')
    .description('list the keys of an account')
    .action(async (user: string) => {
      await listKeys(await open(), keysOf(user), 'No keys.');
    });
  examples(list, ['vigocli users list-keys grace']);

  const remove = users
    .command('remove-key <user> <fingerprint>')
    .description('remove a key of an account')
    .action(async (user: string, fingerprint: string) => {
      await removeKey(await open(), keysOf(user), fingerprint);
    });
  examples(remove, [
    'vigocli users remove-key grace SHA256:5Yb0Xb2f1Kc7mYb0Xb2f1Kc7mYb0Xb2f1Kc7mYb0Xb2',
  ]);
  addLinks(users, open);
}

function addLinks(users: Command, open: OpenSession): void {
  const path = (user: string) => `/api/v1/users/${encodeURIComponent(user)}/identities`;
  const link = users
    .command('link <user>')
    .description('let a subject at the OpenID provider log in as an account')
    .requiredOption('--subject <subject>', 'as the refused login names it')
    .action(async (user: string, { subject }: { subject: string }) => {
      const it = await open();
      const done = await it.client.post<{ name: string; issuer: string }>(path(user), { subject });
      it.print(done, () => `${printable(done.name)} is ${printable(subject)} at ${done.issuer}.`);
    });
  examples(link, ['vigocli users link grace --subject 248289761001']);

  const unlink = users
    .command('unlink <user>')
    .description('let nobody at the OpenID provider log in as an account any more')
    .action(async (user: string) => {
      const it = await open();
      const done = await it.client.delete<{ name: string; issuer: string }>(path(user));
      it.print(done, () => `${printable(done.name)} is nobody at ${done.issuer} any more.`);
    });
  examples(unlink, ['vigocli users unlink grace']);
}

async function addKey(
  it: Session,
  path: string,
  file: string,
  comment: string | undefined,
): Promise<void> {
  const key = (file === '-' ? (await readStandardInput()).toString() : readText(file)).trim();
  if (key.includes('PRIVATE KEY')) {
    const detail = `${file} is a private key; nothing was sent. Give ${file}.pub`;
    throw new AdminError('LOGIN_KEY_INVALID', detail);
  }
  const body = { key, ...(comment === undefined ? {} : { comment }) };
  const added = await it.client.post<{ fingerprint: string; comment: string }>(path, body);
  it.print(added, () => `Added ${printable(added.fingerprint)} ${printable(added.comment)}`.trim());
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', reason);
  }
}

async function listKeys(it: Session, path: string, empty: string): Promise<void> {
  it.list(await it.client.get<{ items: AccountKeyRecord[] }>(path), columns, empty);
}

async function removeKey(it: Session, path: string, fingerprint: string): Promise<void> {
  // A path has no "/" of its own, also when it is escaped.
  const inPath = encodeURIComponent(fingerprint.replaceAll('+', '-').replaceAll('/', '_'));
  const done = await it.client.delete<{ removed: string }>(`${path}/${inPath}`);
  it.print(done, () => `${printable(done.removed)} is removed.`);
}
