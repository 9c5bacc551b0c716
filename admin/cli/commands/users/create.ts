import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { accountRoles, type Grant } from '../../../../actors/accounts/messages.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import type { OpenSession, Session } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { usersPath } from './show.ts';

interface CreateFlags {
  readonly role: string;
  readonly displayName?: string;
  readonly email?: string;
  readonly grant: readonly Grant[];
  readonly passwordFile?: string;
  readonly password: boolean;
}

interface Created {
  readonly id: string;
  readonly name: string;
  readonly password: string | null;
}

/** "approver:web-*" */
function addGrant(text: string, before: readonly Grant[]): Grant[] {
  const [role = '', ...rest] = text.split(':');
  const envoys = rest.join(':');
  if (envoys === '') throw new InvalidArgumentError('It looks like "approver:web-*".');
  return [...before, { role: role as Grant['role'], envoys }];
}

/** The first line of the file. */
export function passwordFrom(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n')[0]?.replace(/\r$/, '') ?? '';
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', reason);
  }
}

/** Shows a password that was made up, on the output alone, so that it can be piped on. */
export function showPassword(
  it: Session,
  reply: { readonly name: string; readonly password: string | null },
): void {
  const { name, password } = reply;
  it.print(reply, () => password ?? `${printable(name)} has the password that you gave.`);
  if (password === null) return;
  it.note(
    `\nThe password of ${printable(name)}, shown this once. It must be changed at the first login.`,
  );
}

export function addUserCreate(users: Command, open: OpenSession): void {
  const create = users
    .command('create <name>')
    .description('make an account; its password is made up, and shown once')
    .addOption(
      new Option('--role <role>', 'what it may do everywhere')
        .choices(accountRoles)
        .makeOptionMandatory(),
    )
    .option('--grant <role:envoys>', 'a role over some envoys; may be repeated', addGrant, [])
    .option('--display-name <text>', 'how pages call the person')
    .option('--email <address>', 'where the person is reached')
    .option('--password-file <file>', 'file with the first password, in its first line')
    .option('--no-password', 'login only by key or OpenID Connect')
    .action(async (name: string, flags: CreateFlags) => {
      const it = await open();
      const { role, displayName, email, grant: grants, passwordFile, password } = flags;
      const created = await it.client.post<Created>(usersPath, {
        name,
        role,
        grants,
        ...(displayName === undefined ? {} : { displayName }),
        ...(email === undefined ? {} : { email }),
        ...(passwordFile === undefined ? {} : { password: passwordFrom(passwordFile) }),
        ...(password ? {} : { noPassword: true }),
      });
      if (password) return showPassword(it, created);
      it.print(created, () => `${printable(name)} may log in by key or OpenID Connect.`);
    });
  examples(create, [
    'vigocli users create grace --role operator --display-name "Grace Hopper"',
    'vigocli users create ida --role none --grant "operator:web-*"',
    'vigocli users create auditor-1 --role auditor --no-password',
  ]);
}
