import type { Command } from 'commander';
import type { SessionView, TotpEnrolment } from '../../../actors/accounts/messages.ts';
import { AdminError } from '../../errors.ts';
import { askLine, mayAsk } from '../ask.ts';
import { examples } from '../examples.ts';
import type { OpenSession, Session } from '../session.ts';
import type { Column } from '../table.ts';
import { printable } from '../terminal-text.ts';
import { ago } from '../words.ts';

const sessionsPath = '/api/v1/account/sessions';
const totpPath = '/api/v1/account/totp';

type OwnSession = SessionView & { readonly current: boolean };

function sessionState(session: OwnSession): string {
  if (session.current) return 'this one';
  if (session.endedAtMs !== undefined) return `ended: ${session.endedBecause}`;
  return session.expiresAtMs <= Date.now() ? 'expired' : 'open';
}

const columns: readonly Column<OwnSession>[] = [
  { title: 'SESSION', value: (session) => session.id },
  { title: 'STATE', value: sessionState },
  { title: 'BY', value: (session) => session.method },
  { title: 'FROM', value: (session) => session.peerAddress },
  { title: 'LAST USED', value: (session) => ago(session.lastUsedMs, Date.now()) },
  {
    title: 'PROGRAM',
    value: (session) => session.userAgent || '-',
    flexible: true,
    optional: true,
  },
];

/** What people do to their own account, beside logging in. */
export function addOwnAccountCommands(auth: Command, open: OpenSession): void {
  addSessions(auth, open);
  addEnableTotp(auth, open);

  const disable = auth
    .command('disable-totp')
    .description('turn your second factor off')
    .option('--code <code>', 'of your authenticator app, or a recovery code')
    .action(async ({ code }: { code?: string }) => {
      const it = await open();
      const done = await it.client.post<object>(`${totpPath}/remove`, {
        code: await codeFor(it, code),
      });
      it.print(done, () => 'You log in without a second factor now.');
    });
  examples(disable, ['vigocli auth disable-totp', 'vigocli auth disable-totp --code 123456']);
}

function addSessions(auth: Command, open: OpenSession): void {
  const list = auth
    .command('list-sessions')
    .description('list your sessions, newest first')
    .action(async () => {
      const it = await open();
      const page = await it.client.get<{ items: OwnSession[] }>(sessionsPath);
      it.list(page, columns, 'No sessions. Log in: vigocli auth login');
    });
  examples(list, ['vigocli auth list-sessions', 'vigocli auth list-sessions --json']);

  const end = auth
    .command('end-session [id]')
    .description('end a session of yours, or all others')
    .option('--others', 'every one but this')
    .action(async (id: string | undefined, { others = false }: { others?: boolean }) => {
      if (others === (id !== undefined)) {
        throw new AdminError('CLI_USAGE', 'say which: a session id, or --others');
      }
      const it = await open();
      const path = id === undefined ? sessionsPath : `${sessionsPath}/${encodeURIComponent(id)}`;
      const reply = await it.client.delete<{ ended: string }>(path);
      it.print(reply, () =>
        others ? 'All others have ended.' : `${printable(reply.ended)} ended.`,
      );
    });
  examples(end, ['vigocli auth end-session 4c63c5fc01e68f6a', 'vigocli auth end-session --others']);
}

function addEnableTotp(auth: Command, open: OpenSession): void {
  const enable = auth
    .command('enable-totp')
    .description('set up a second factor: a code of an authenticator app at each login')
    .option('--password-file <file>', 'your password, in the first line of a file')
    .option('--code <code>', 'first code of the app: turns on what was begun before')
    .action(async (flags: { passwordFile?: string; code?: string }) => {
      const it = await open();
      if (flags.code !== undefined) return await confirm(it, flags.code);
      const body = await proofOf(it, flags.passwordFile);
      const begun = await it.client.post<TotpEnrolment>(totpPath, body);
      const words = `Put this into your authenticator app:\n\n  ${begun.secret}\n\n  ${begun.uri}`;
      if (mayAsk(it)) {
        it.note(words);
        return await confirm(it, await codeFor(it, undefined));
      }
      it.print(begun, () => words);
      it.note('\nTurn it on with a first code: vigocli auth enable-totp --code CODE');
    });
  examples(enable, ['vigocli auth enable-totp', 'vigocli auth enable-totp --code 123456']);
}

/** An account without a password has proven itself by its login. */
async function proofOf(it: Session, file: string | undefined): Promise<{ current?: string }> {
  if (file === undefined) {
    const { hasPassword } = await it.client.get<{ hasPassword: boolean }>('/api/v1/session');
    if (!hasPassword) return {};
  }
  const { readPassword } = await import('../login/log-in.ts');
  return { current: await readPassword(it, 'Password: ', file) };
}

async function confirm(it: Session, code: string): Promise<void> {
  const body = { code };
  const done = await it.client.post<{ recoveryCodes: string[] }>(`${totpPath}/confirm`, body);
  it.print(done, () => done.recoveryCodes.map(printable).join('\n'));
  it.note(
    '\nYour second factor is on. Each of these recovery codes logs you in once without the app;\n' +
      'they are shown this once.',
  );
}

async function codeFor(it: Session, code: string | undefined): Promise<string> {
  if (code !== undefined) return code;
  if (mayAsk(it)) return await askLine('Code of your authenticator app: ');
  throw new AdminError('CLI_USAGE', 'nobody can be asked for the code: --code CODE');
}
