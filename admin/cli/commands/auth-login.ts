import type { Command } from 'commander';
import { examples } from '../examples.ts';
import type { LoginFlags } from '../login/log-in.ts';
import type { OpenSession, Session } from '../session.ts';
import { printable } from '../terminal-text.ts';
import { clockTime, fieldLines } from '../words.ts';

interface Me {
  readonly name: string;
  readonly role: string;
  readonly sessionId: string | null;
  readonly tokenId: string | null;
  readonly expiresAtMs: number | null;
  readonly mustChangePassword: boolean;
}

/** What the commands do is loaded when one runs. */
const work = () => import('../login/log-in.ts');

/** Sessions of people: they begin by a proof and really end. */
export function addLoginCommands(auth: Command, open: OpenSession): void {
  addLogin(auth, open);
  addStatus(auth, open);
  addLogout(auth, open);
  addChangePassword(auth, open);
}

function addLogin(auth: Command, open: OpenSession): void {
  const login = auth
    .command('login')
    .description(
      'log in with your account: by password, by an SSH key that stays where it is, or in a browser',
    )
    .option('--name <account>', 'your account; without it the one of the last login here')
    .option('--ssh-key [file]', "sign with the SSH agent's Ed25519 keys, or with this key file")
    .option('--oidc', "in a browser, here or elsewhere, at the server's OpenID provider")
    .option('--no-browser', 'with --oidc: print the address, and open no browser')
    .option('--password-file <file>', 'password in the first line of a file; - is standard input')
    .option('--code <code>', 'code of your authenticator app, when it cannot be asked for')
    .action(async (flags: LoginFlags) => {
      const it = await open();
      const done = await (await work()).logIn(it, flags);
      it.print(done, () => {
        const until = clockTime(done.expiresAtMs);
        return `You are ${printable(done.account)} at ${printable(done.server)}, until ${until}.`;
      });
      if (done.mustChangePassword) {
        it.note('Your password must be changed first: vigocli auth change-password');
      }
    });
  examples(login, [
    'vigocli auth login --name alice',
    'vigocli auth login --name alice --ssh-key',
    'vigocli auth login --name alice --ssh-key ~/.ssh/id_ed25519',
    'vigocli auth login --oidc',
  ]);
}

function addStatus(auth: Command, open: OpenSession): void {
  const status = auth
    .command('status')
    .description('show who you are at which server, asked there')
    .action(async () => {
      const it = await open();
      const me = await it.client.get<Me>('/api/v1/session');
      const { context, target: server } = it.connection;
      const kind = kindOf(me);
      const found = { context, server, kind, ...me };
      it.print(found, () =>
        fieldLines([
          ['Account', printable(me.name)],
          ['Role', printable(me.role)],
          ['Server', printable(server)],
          ['Context', printable(context)],
          ['By', kind],
          ['Until', me.expiresAtMs === null ? 'it is revoked' : clockTime(me.expiresAtMs)],
        ]),
      );
      if (me.mustChangePassword) it.note('Change your password: vigocli auth change-password');
    });
  examples(status, ['vigocli auth status', 'vigocli --context prod auth status --json']);
}

function kindOf({ sessionId, tokenId }: Me): string {
  if (sessionId !== null) return 'session';
  return tokenId === null ? 'local token' : 'API token';
}

function addLogout(auth: Command, open: OpenSession): void {
  const logout = auth
    .command('logout')
    .description('end the session at the server, and forget it here')
    .option('--only-here', 'do not ask the server; the session goes on until its end')
    .action(async ({ onlyHere = false }: { onlyHere?: boolean }) => {
      const it = await open();
      const done = await (await work()).logOut(it, onlyHere);
      it.print({ account: done.account ?? null, ended: done.ended }, () => {
        if (done.account === undefined) return 'You were not logged in.';
        const where = done.ended ? 'The session has ended.' : 'It goes on at the server.';
        return `${printable(done.account)} is logged out here. ${where}`;
      });
    });
  examples(logout, ['vigocli auth logout', 'vigocli --context lab auth logout --only-here']);
}

function addChangePassword(auth: Command, open: OpenSession): void {
  const change = auth
    .command('change-password')
    .description('change your password; all your sessions end but this one')
    .option('--password-file <file>', 'the present one, in the first line of a file')
    .option('--new-password-file <file>', 'the new one, in the first line of a file')
    .action(async (flags: { passwordFile?: string; newPasswordFile?: string }) => {
      const it = await open();
      const kept = await changePassword(it, flags);
      it.print({ changed: true, session: kept }, () => 'Your password is changed.');
    });
  examples(change, ['vigocli auth change-password']);
}

async function changePassword(
  it: Session,
  { passwordFile, newPasswordFile }: { passwordFile?: string; newPasswordFile?: string },
): Promise<boolean> {
  const { keepNewSession, readPassword } = await work();
  const current = await readPassword(it, 'Present password: ', passwordFile);
  const next = await readPassword(it, 'New password: ', newPasswordFile);
  const body = { current, next };
  const opened = await it.client.post<{ token: string; expiresAtMs: number }>(
    '/api/v1/account/password',
    body,
  );
  return keepNewSession(it, opened);
}
