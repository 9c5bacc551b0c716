import type { Command } from 'commander';
import type { InstallCommands, TokenView } from '../../api/backend.ts';
import type { OpenSession } from '../session.ts';
import type { Column } from '../table.ts';
import { ago, briefIdLength, clockTime, parseDuration } from '../words.ts';

const defaultExpiry = '24h';

function tokenState(token: TokenView, nowMs: number): string {
  if (token.usedAtMs !== undefined) return 'used';
  if (token.revokedAtMs !== undefined) return 'revoked';
  return token.expiresAtMs <= nowMs ? 'expired' : 'ready';
}

const columns: readonly Column<TokenView>[] = [
  { title: 'ID', value: (token) => token.id },
  { title: 'STATE', value: (token) => tokenState(token, Date.now()) },
  { title: 'HOSTS', value: (token) => token.match.join(' '), flexible: true },
  { title: 'EXPIRES', value: (token) => ago(token.expiresAtMs, Date.now()) },
  { title: 'CREATED BY', value: (token) => token.createdBy, optional: true },
  {
    title: 'USED BY',
    value: (token) => token.usedBy ?? '-',
    brief: (token) => token.usedBy?.slice(0, briefIdLength) ?? '-',
    optional: true,
  },
];

interface CreatedToken {
  readonly id: string;
  readonly token: string;
  readonly expiresAtMs: number;
  readonly install: InstallCommands;
}

function howTo({ token, install }: CreatedToken): string {
  const { curl, wget, server, platforms } = install;
  const register = `  vigo register --server ${server} --token ${token}\n`;
  if (platforms.length === 0)
    return `${register}\nFor a line that also installs vigo, this server needs its program: npm run build:agent\n`;
  return `  ${curl}\n\nWithout curl:\n\n  ${wget}\n\nWhere vigo is there already:\n\n${register}`;
}

export function addTokenCommands(program: Command, open: OpenSession): void {
  const tokens = program.command('tokens').description('enrollment tokens: one machine each');

  tokens
    .command('create')
    .description('create a token and print the line that enrolls a machine with it')
    .requiredOption('--match <glob...>', 'host names that may use it, e.g. "web-*"')
    .option('--expires <duration>', 'life of the token, e.g. 2h or 7d', defaultExpiry)
    .option('--address <host>', "how the machine reaches the server (the server's own name)")
    .action(async (options: { match: string[]; expires: string; address?: string }) => {
      const it = await open();
      const created = await it.client.post<CreatedToken>('/api/v1/tokens', {
        match: options.match,
        expiresInMs: parseDuration(options.expires),
        ...(options.address === undefined ? {} : { address: options.address }),
      });
      it.print(created, () => created.token);
      it.note(
        `\nFor one machine whose host name fits ${options.match.join(' or ')}, until ` +
          `${clockTime(created.expiresAtMs)}. On that machine:\n\n${howTo(created)}\n` +
          'The token is shown this once; only its hash is kept.',
      );
    });

  tokens
    .command('list')
    .description('list tokens, newest first')
    .action(async () => {
      const it = await open();
      const page = await it.client.get<{ items: TokenView[] }>('/api/v1/tokens');
      it.list(page, columns, 'No tokens. Make one: vigocli tokens create --match "web-*"');
    });

  tokens
    .command('revoke <id>')
    .description('revoke a token that was not used yet')
    .action(async (id: string) => {
      const it = await open();
      const reply = await it.client.delete(`/api/v1/tokens/${encodeURIComponent(id)}`);
      it.print(reply, () => `Token ${id} is revoked: it enrolls nobody.`);
    });
}
