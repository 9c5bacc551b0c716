import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { PublishResult, PublishStatus } from '../../actors/publish/messages.ts';
import { TestServer } from './support/server-process.ts';
import { type CliResult, cli } from './support/vigocli.ts';

const demo = new URL('../../admin/demo/stack', import.meta.url).pathname;
const server = await TestServer.make(t, { set: ['publish.approval=required'] });
await server.provision(3);
await server.start();
const stacks = join(server.directory, 'stacks');
cpSync(demo, stacks, { recursive: true });
const file = join(stacks, 'modules/greeting.vgo');
const first = readFileSync(file, 'utf8');

/** vigocli as one of the people below; undefined: with the server's own token. */
function as(name: string | undefined, ...args: string[]): Promise<CliResult> {
  const token = name === undefined ? [] : ['--token-file', join(server.directory, name)];
  return cli(['--home', server.directory, ...token, ...args]);
}

const people = { alice: 'operator', bob: 'approver', carol: 'approver', dave: 'viewer' };
for (const [name, role] of Object.entries(people)) {
  const made = await as(undefined, 'auth', 'create-token', '--name', name, '--role', role);
  writeFileSync(join(server.directory, name), made.out, { mode: 0o600 });
}

async function json<T>(name: string | undefined, ...args: string[]): Promise<T> {
  const { out, complaint } = await as(name, ...args, '--json');
  t.equal(complaint, '', args.join(' '));
  return JSON.parse(out) as T;
}

const publish = ['config', 'publish', '-m'];

t.test('a publish waits for a second person, who approves the very content', async (t) => {
  t.match(await as('dave', ...publish, 'x'), { code: 4, complaint: /needs operator/ });
  const waiting = await as('alice', ...publish, 'the beginning');
  t.match(waiting, {
    code: 2,
    out: /^Waits for a second administrator.*\n.*config approve \w{12}/,
  });
  const [, hash = ''] = /approve (\w{12})/.exec(waiting.out) ?? [];
  t.match(await as('dave', 'config', 'candidates'), { code: 0, out: /admin:alice/ });
  t.match(await as('dave', 'config', 'diff', '--to', 'candidate'), {
    code: 2,
    out: /^\+ modules\/greeting\.vgo$/m,
  });
  t.match(await as('alice', 'config', 'approve', hash), { code: 4, complaint: /needs approver/ });
  t.match(await as('bob', 'config', 'approve', '00000000'), { code: 1, complaint: hash });
  t.match(await as('bob', 'config', 'approve', 'short'), { code: 64 });

  writeFileSync(file, `${first}# sneaked in\n`);
  const approved = await as('bob', 'config', 'approve', hash, '--reason', 'read it all');
  t.match(approved, { code: 0, out: /^Published version 1/ });
  const live = await as('dave', 'config', 'show', 'live', '--file', 'modules/greeting.vgo');
  t.equal(live.out, first, 'what was approved, not what stands in the directory now');
  t.match(await as('dave', 'config', 'show', '1'), {
    code: 0,
    out: /By: +admin:alice[\s\S]*Approved: +by admin:bob, .*: read it all/,
  });
});

t.test('nobody approves what is their own; an author may take it back', async (t) => {
  t.equal((await as('carol', ...publish, 'my own')).code, 2);
  const [own] = (await json<{ items: { contentHash: string }[] }>('dave', 'config', 'candidates'))
    .items;
  const hash = own?.contentHash ?? '';
  t.match(await as('carol', 'config', 'approve', hash), {
    code: 4,
    complaint: /^PUBLISH_OWN_CANDIDATE: .*carol/,
  });
  const reject = ['config', 'reject', hash, '--reason', 'no'];
  t.match(await as('alice', ...reject), { code: 4, complaint: /^API_FORBIDDEN.*not the author/ });
  t.match(await as('carol', ...reject), { code: 0, out: /admin:carol is rejected/ });
  t.match(await as('dave', 'config', 'candidates'), { code: 0, out: /^Nothing waits/ });
});

t.test('a freeze stops a publish but no rollback, and an operator cannot end it', async (t) => {
  await as('alice', ...publish, 'the second');
  const status = await json<PublishStatus>('dave', 'config', 'status');
  const hash = status.candidate?.contentHash ?? '';
  t.equal((await as('bob', 'config', 'approve', hash)).code, 0);
  const frozen = await as('alice', 'config', 'freeze', '-m', 'a sale', '--for', '2h');
  t.match(frozen, { code: 0, out: /^Frozen until 20/ });
  writeFileSync(file, `${first}# third\n`);
  t.match(await as('alice', ...publish, 'x'), { code: 4, complaint: /^PUBLISH_FROZEN.*a sale/ });
  t.match(await as('dave', 'config', 'status'), {
    out: /Frozen: +until .* by admin:alice: a sale/,
  });
  t.match(await as('alice', 'config', 'unfreeze', '-m', 'x'), { code: 4 });
  const back = await json<PublishResult>('alice', 'config', 'rollback', '-m', 'it was bad');
  t.match(back, { version: 3, changed: true });
  t.match(await as('bob', 'config', 'unfreeze', '-m', 'over'), { code: 0, out: /is lifted/ });
  t.match(await as('bob', 'config', 'unfreeze', '-m', 'over'), { code: 0, out: /was no freeze/ });
  const again = await json<PublishResult>('alice', 'config', 'rollback', '-m', 'it was good');
  t.match(again, { version: 4, changed: true }, 'a rollback can be rolled back');
  const history = await json<{ items: object[] }>('dave', 'config', 'history');
  t.match(history.items, [
    { version: 4, origin: { kind: 'rollback', of: 2 } },
    { version: 3, origin: { kind: 'rollback', of: 1 }, publishedBy: 'admin:alice' },
    { version: 2, approval: { by: 'admin:bob' } },
    { version: 1 },
  ]);
  t.match(await as('dave', 'config', 'diff', '--from', '1', '--to', '3'), {
    code: 0,
    out: /^No dif/,
  });
  t.match(await as('dave', 'config', 'diff', '--from', '1', '--to', '4'), {
    code: 2,
    out: /^\+# sneaked in$/m,
  });
  t.match(await as('dave', 'config', 'diff', '--stack', stacks), { code: 2, out: /^\+# third$/m });
  t.equal((await as('alice', ...publish, 'x', '--expect-version', '3')).code, 4);
  t.equal((await as('dave', 'config', 'show', '99')).code, 1);
});

t.test('a rollout goes in stages, is held, and --wait says how it ended', async (t) => {
  const staged = ['--stages', 'host-0', '50%', '--observe', '1h', '--threshold', '10%'];
  writeFileSync(file, first.replace('/etc/motd', '/etc/motd.staged'));
  await as('alice', ...publish, 'staged', ...staged);
  const { candidate } = await json<PublishStatus>('dave', 'config', 'status');
  const hash = candidate?.contentHash ?? '';
  const waiting = as('bob', 'config', 'approve', hash, '--wait');
  const rollout = ['config', 'rollout'];
  const seen = async (words: RegExp, left = 60): Promise<boolean> =>
    words.test((await as('dave', ...rollout, 'status')).out) || (left > 0 && seen(words, left - 1));
  t.ok(await seen(/version 5, stage 1 of 3 \(host-0\): watching/));
  t.match(await as('dave', ...rollout, 'pause'), { code: 4, complaint: /rollout\.control/ });
  t.match(await as('alice', ...rollout, 'pause', '-m', 'lunch'), { code: 0, out: /: paused/ });
  t.match(await waiting, { code: 3, complaint: /watching[\s\S]*paused/ }, 'it waits for somebody');
  t.match(await as('alice', ...rollout, 'resume'), { code: 0, out: /: watching/ });
  const following = as('dave', ...rollout, 'status', '--wait');
  t.match(await as('alice', ...rollout, 'abort', '-m', 'no'), { code: 0 });
  t.ok([1, 3].includes((await following).code ?? 0), 'it did not reach everybody');
  const { version, origin } = await json<PublishStatus>('dave', 'config', 'status');
  t.match({ version, origin }, { version: 6, origin: { of: 4 } }, 'the last good version is back');
  t.equal((await as('alice', ...rollout, 'pause')).code, 1, 'nothing to hold any more');
});
