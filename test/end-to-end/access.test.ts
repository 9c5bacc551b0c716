import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TestServer } from './support/server-process.ts';
import { type CliResult, cli } from './support/vigocli.ts';

const server = await TestServer.make(t);
await server.start();
const home = ['--home', server.directory];

/** vigocli with the local administrator's token, or with another one. */
function vigocli(token: string | undefined, ...args: string[]): Promise<CliResult> {
  if (token === undefined) return cli([...home, ...args]);
  const file = join(server.directory, `token-${token.slice(-8)}`);
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return cli([...home, '--token-file', file, ...args]);
}

async function json<T>(token: string | undefined, ...args: string[]): Promise<T> {
  const { code, out, complaint } = await vigocli(token, ...args, '--json');
  t.equal(code, 0, `${args.join(' ')}: ${complaint}`);
  return JSON.parse(out) as T;
}

/** Asks until it is so, at most for the time of the suite. */
async function soon(holds: () => Promise<boolean>, triesLeft = 50): Promise<boolean> {
  if (await holds()) return true;
  return triesLeft > 0 && (await soon(holds, triesLeft - 1));
}

interface Created {
  readonly id: string;
  readonly token: string;
}
const create = ['auth', 'create-token', '--name'];

t.test('a named token is its role, from the first request to the revocation', async (t) => {
  const made = await vigocli(undefined, ...create, 'alice', '--role', 'operator');
  t.match(made, { code: 0, out: /^vgot_[\w-]{43}\n$/, complaint: /shown this once/ });
  const alice = made.out.trim();
  const me = await json(alice, 'auth', 'whoami');
  t.match(me, { name: 'alice', role: 'operator', by: 'admin:alice' });
  t.match(await json(undefined, 'auth', 'whoami'), { name: 'local', role: 'admin' });
  t.equal((await vigocli(alice, 'tokens', 'create', '--match', 'x')).code, 0);
  const created = await json<{ items: object[] }>(undefined, 'tokens', 'list');
  t.match(created.items, [{ createdBy: 'admin:alice' }], 'she is named in what she did');

  const forbidden = await vigocli(alice, ...create, 'mallory', '--role', 'admin');
  t.match(forbidden, { code: 4, complaint: /^API_FORBIDDEN.*access\.manage needs admin/ });
  const listing = await vigocli(undefined, 'auth', 'list-tokens', '--json');
  t.notMatch(listing.out, alice, 'nobody sees it again');
  const row = /"id": "(\w+)"/.exec(listing.out)?.[1] ?? '';
  const used = () => json<{ items: { lastUsedMs?: number }[] }>(undefined, 'auth', 'list-tokens');
  t.ok(await soon(async () => ((await used()).items[0]?.lastUsedMs ?? 0) > 0));
  t.match(await vigocli(undefined, 'auth', 'list-tokens'), { out: /alice +operator +valid/ });

  for (let time = 0; time < 2; time++) {
    t.equal((await vigocli(undefined, 'auth', 'revoke-token', row)).code, 0);
    const refused = await vigocli(alice, 'auth', 'whoami');
    t.match(refused, { code: 4, complaint: /^API_UNAUTHENTICATED.*revoked/ }, 'at once');
  }
  t.match(await vigocli(undefined, 'auth', 'revoke-token', 'nobody'), { code: 1 });
  const audit = await json<{ items: object[] }>(undefined, 'audit', 'list');
  const events = audit.items.filter((item) => /access\./.test(JSON.stringify(item)));
  t.match(events, [
    { type: 'access.token_created', actor: 'admin:local', details: { name: 'alice' } },
    { type: 'access.token_revoked', actor: 'admin:local', subject: row },
  ]);
});

t.test('one name is one person, and a token ends when it was said to', async (t) => {
  const bob = await json<Created>(undefined, ...create, 'bob', '--role', 'viewer');
  const again = await vigocli(undefined, ...create, 'bob', '--role', 'admin');
  t.match(again, { code: 4, complaint: /^ACCESS_NAME_TAKEN: .*bob/ });
  t.equal((await vigocli(bob.token, 'config', 'publish')).code, 4, 'a viewer publishes nothing');
  t.equal((await vigocli(undefined, 'auth', 'revoke-token', 'bob')).code, 0, 'by name');
  t.equal((await vigocli(undefined, ...create, 'bob', '--role', 'viewer')).code, 0);
  const brief = await json<Created>(
    undefined,
    ...[...create, 'brief', '--role', 'viewer', '--expires', '1s'],
  );
  t.ok(await soon(async () => (await vigocli(brief.token, 'status')).code === 4));
  const expired = await vigocli(brief.token, 'status');
  t.match(expired.complaint, /^API_UNAUTHENTICATED.*expired/);
  for (const name of ['local', 'Alice', 'a b', '../x', 'x'.repeat(64)]) {
    const { code } = await vigocli(undefined, ...create, name, '--role', 'viewer');
    t.ok([4, 64].includes(code ?? 0), name);
  }
});
