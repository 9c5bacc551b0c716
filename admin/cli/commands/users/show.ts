import type { Command } from 'commander';
import type { AccountView, SessionView } from '../../../../actors/accounts/messages.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import type { Column } from '../../table.ts';
import { printable } from '../../terminal-text.ts';
import { ago, fieldLines } from '../../words.ts';

export const usersPath = '/api/v1/users';

export function userPath(name: string, rest = ''): string {
  return `${usersPath}/${encodeURIComponent(name)}${rest}`;
}

/** `approver on web-*, viewer on os.family=debian` */
export function grantWords(grants: AccountView['grants']): string {
  return grants.map(({ role, envoys }) => `${role} on ${printable(envoys)}`).join(', ');
}

function state({ disabledAtMs, mustChangePassword, hasPassword }: AccountView): string {
  if (disabledAtMs !== undefined) return 'disabled';
  if (mustChangePassword) return 'password due';
  return hasPassword ? 'active' : 'no password';
}

const columns: readonly Column<AccountView>[] = [
  { title: 'NAME', value: (account) => account.name, flexible: true },
  { title: 'ROLE', value: (account) => account.role },
  { title: 'STATE', value: state },
  { title: 'TOTP', value: ({ totp }) => (totp ? 'on' : '-') },
  { title: 'LAST LOGIN', value: (account) => ago(account.lastLoginMs, Date.now()) },
  { title: 'GRANTS', value: ({ grants }) => grantWords(grants) || '-', optional: true },
];

function sessionState(session: SessionView, nowMs: number): string {
  if (session.endedAtMs !== undefined) return `ended: ${session.endedBecause}`;
  return session.expiresAtMs <= nowMs ? 'expired' : 'open';
}

const sessionColumns: readonly Column<SessionView>[] = [
  { title: 'SESSION', value: (session) => session.id },
  { title: 'BY', value: (session) => session.method },
  { title: 'FROM', value: (session) => session.peerAddress },
  { title: 'LAST USED', value: (session) => ago(session.lastUsedMs, Date.now()) },
  { title: 'STATE', value: (session) => sessionState(session, Date.now()) },
];

type Shown = AccountView & { readonly sessions: readonly SessionView[] };

export function addUserViews(users: Command, open: OpenSession): void {
  const list = users
    .command('list')
    .description('list accounts by name')
    .action(async () => {
      const it = await open();
      const page = await it.client.get<{ items: AccountView[] }>(usersPath);
      it.list(page, columns, 'No accounts. Make one: vigocli users create NAME --role ROLE');
    });
  examples(list, ['vigocli users list', 'vigocli users list --json']);

  const show = users
    .command('show <user>')
    .description('show one account with its grants and sessions')
    .action(async (name: string) => {
      const it = await open();
      const account = await it.client.get<Shown>(userPath(name));
      it.print(account, () => {
        const now = Date.now();
        const fields = fieldLines([
          ['Name', printable(account.name)],
          ['Full name', printable(account.displayName) || '-'],
          ['E-mail', printable(account.email) || '-'],
          ['Role', account.role],
          ['Grants', grantWords(account.grants) || '-'],
          ['State', state(account)],
          ['Second factor', account.totp ? `on, ${account.recoveryCodesLeft} recovery codes` : '-'],
          ['Last login', ago(account.lastLoginMs, now)],
          ['Created', `${ago(account.createdAtMs, now)} by ${printable(account.createdBy)}`],
        ]);
        const table = it.table(account.sessions, sessionColumns);
        return table === '' ? fields : `${fields}\n\n${table}`;
      });
    });
  examples(show, ['vigocli users show grace', 'vigocli users show grace --json']);
}
