import { type Command, Option } from 'commander';
import { type AdminTokenView, accessRoles } from '../../../actors/access/messages.ts';
import { AdminError } from '../../errors.ts';
import type { OpenSession } from '../session.ts';
import type { Column } from '../table.ts';
import { printable } from '../terminal-text.ts';
import { ago, clockTime, fieldLines, parseDuration } from '../words.ts';
import { addLoginCommands } from './auth-login.ts';
import { addOwnKeyCommands } from './keys.ts';
import { addOwnAccountCommands } from './own-account.ts';

interface WhoAmI {
  readonly name: string;
  readonly role: string;
  readonly expiresAtMs: number | null;
  readonly permissions: readonly string[];
}

interface CreatedToken {
  readonly id: string;
  readonly token: string;
  readonly expiresAtMs?: number;
}

const tokensPath = '/api/v1/auth/tokens';

function tokenState(token: AdminTokenView, nowMs: number): string {
  if (token.revokedAtMs !== undefined) return 'revoked';
  return (token.expiresAtMs ?? Number.POSITIVE_INFINITY) <= nowMs ? 'expired' : 'valid';
}

const columns: readonly Column<AdminTokenView>[] = [
  { title: 'ID', value: (token) => token.id },
  { title: 'NAME', value: (token) => token.name, flexible: true },
  { title: 'ROLE', value: (token) => token.role },
  { title: 'STATE', value: (token) => tokenState(token, Date.now()) },
  { title: 'LAST USED', value: (token) => ago(token.lastUsedMs, Date.now()) },
  {
    title: 'EXPIRES',
    value: ({ expiresAtMs }) => (expiresAtMs === undefined ? '-' : ago(expiresAtMs, Date.now())),
  },
  { title: 'CREATED BY', value: (token) => token.createdBy, optional: true },
];

export function addAuthCommands(program: Command, open: OpenSession): void {
  const auth = program.command('auth').description('who you are: logins, your keys, API tokens');
  addLoginCommands(auth, open);
  addOwnKeyCommands(auth, open);
  addOwnAccountCommands(auth, open);
  addCreate(auth, open);

  auth
    .command('list-tokens')
    .description('list API tokens, newest first')
    .action(async () => {
      const it = await open();
      const page = await it.client.get<{ items: AdminTokenView[] }>(tokensPath);
      it.list(page, columns, 'No tokens. Make one: vigocli auth create-token --name NAME --role R');
    });

  auth
    .command('revoke-token <id-or-name>')
    .description('refuse a token from now on')
    .action(async (name: string) => {
      const it = await open();
      const path = `${tokensPath}/${encodeURIComponent(name)}`;
      const reply = await it.client.delete<{ revoked: string; name: string }>(path);
      it.print(reply, () => `The token of ${printable(reply.name)} is revoked.`);
    });

  auth
    .command('whoami')
    .description('show whose token this is and what it may do')
    .action(async () => {
      const it = await open();
      const me = await it.client.get<WhoAmI>('/api/v1/auth/whoami');
      it.print(me, () =>
        fieldLines([
          ['Name', printable(me.name)],
          ['Role', printable(me.role)],
          ['Expires', me.expiresAtMs === null ? 'never' : ago(me.expiresAtMs, Date.now())],
          ['May', me.permissions.map(printable).join(', ')],
        ]),
      );
    });
}

function addCreate(auth: Command, open: OpenSession): void {
  auth
    .command('create-token')
    .description('create a token for a person or a program; it is shown once')
    .requiredOption('--name <name>', 'who will use it; events say "admin:<name>"')
    .addOption(new Option('--role <role>', 'what it may do').choices(accessRoles))
    .option('--mine', 'it acts for your own account, with at most what you may; takes --expires')
    .option('--permission <permission...>', 'all that it may be used for, e.g. runs.read')
    .option('--envoys <selector...>', 'envoys that it is limited to: web-*, os.family=debian')
    .option('--expires <duration>', 'its life, e.g. 12h or 30d; without it, until revoked')
    .action(async (options: TokenFlags) => {
      const it = await open();
      const { path, body } = tokenRequest(options);
      const created = await it.client.post<CreatedToken>(path, body);
      it.print(created, () => created.token);
      const { expiresAtMs } = created;
      const until =
        expiresAtMs === undefined ? 'until it is revoked' : `until ${clockTime(expiresAtMs)}`;
      it.note(
        `\nFor ${printable(options.name)} as ${options.role ?? 'yourself'}, ${until}. Keep it in a file that ` +
          'only its owner can read, and name the file with --token-file or VIGO_TOKEN_FILE.\n' +
          'It is shown this once; only its hash is kept.',
      );
    });
}

interface TokenFlags {
  readonly name: string;
  readonly role?: string;
  readonly mine?: boolean;
  readonly permission?: readonly string[];
  readonly envoys?: readonly string[];
  readonly expires?: string;
}

function tokenRequest(flags: TokenFlags): { path: string; body: object } {
  const { name, role, mine = false, permission, envoys, expires } = flags;
  if (mine === (role !== undefined)) {
    throw new AdminError('CLI_USAGE', 'say what it may do: either --role ROLE or --mine');
  }
  if (mine && expires === undefined) {
    throw new AdminError('CLI_USAGE', 'a token of your own takes --expires, e.g. 30d');
  }
  const body = {
    name,
    ...(role === undefined ? {} : { role }),
    ...(permission === undefined ? {} : { permissions: permission }),
    ...(envoys === undefined ? {} : { envoys }),
    ...(expires === undefined ? {} : { expiresInMs: parseDuration(expires) }),
  };
  return { path: mine ? '/api/v1/account/tokens' : tokensPath, body };
}
