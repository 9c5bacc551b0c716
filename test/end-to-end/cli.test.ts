import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ResourceAction, RunSummary } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { TestEnvoy } from '../support/test-envoy.ts';
import { emptyOf } from '../support/test-envoy.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { TestServer } from './support/server-process.ts';
import { type CliResult, cli } from './support/vigocli.ts';

const hostile = 'x\u001b[2J\u009b31m\u202ey';
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const stack = new URL('../../admin/demo/stack', import.meta.url).pathname;
const runId = Buffer.from('aabbccdd11224333844455667788990f', 'hex');
const twinId = Buffer.from('aabbccdd11224333844455667788990e', 'hex');
const runText = 'aabbccdd-1122-4333-8444-55667788990f';

const server = await TestServer.make(t);
const envoys = await server.provision(4);
const { grpcPort } = await server.start();
const home = ['--home', server.directory];
const vigocli = (...args: string[]): Promise<CliResult> => cli([...home, ...args]);
const json = async (...args: string[]) => {
  const { code, out, complaint } = await vigocli(...args, '--json');
  t.equal(code, 0, `${args.join(' ')}: ${complaint}`);
  t.equal(complaint, '', 'nothing but JSON');
  return JSON.parse(out) as Record<string, unknown> & { items: Record<string, unknown>[] };
};
t.teardown(() => envoys.forEach((envoy) => void envoy.close()));

t.test('the policy: check, publish, history, mistakes with their place', async (t) => {
  t.match(await vigocli('config', 'history'), { code: 0, out: /Nothing was published yet/ });
  const empty = await vigocli('config', 'validate');
  t.match(empty, { code: 1, complaint: /^\.:1:1: error: the stack has no \.vgo file/ });
  t.same(await json('config', 'history'), { items: [], next: null });
  cpSync(stack, join(server.directory, 'stacks'), { recursive: true });
  t.match(await vigocli('config', 'validate'), { code: 0, out: /^Valid: 2 modules/ });
  t.match(Object.keys(await json('config', 'validate')), ['diagnostics', 'modules', 'resources']);
  const published = await json('config', 'publish', '-m', hostile);
  t.match(published, { version: 1, changed: true, totalEnvoys: 4 });
  t.match(await vigocli('config', 'publish'), { code: 0, out: /^Nothing changed: version 1/ });

  const file = join(server.directory, 'stacks/modules/greeting.vgo');
  const good = readFileSync(file, 'utf8');
  writeFileSync(file, good.replace('target_path: /etc/motd', 'targt_path: /etc/motd'));
  for (const verb of ['validate', 'publish']) {
    const { code, out, complaint } = await vigocli('config', verb);
    t.equal(code, 1, complaint);
    t.match(complaint, /^modules\/greeting\.vgo:\d+:\d+: error: .*targt_path/m);
    t.match(complaint, /^10 \| +targt_path: \/etc\/motd\n +\| +\^$/m, 'the line and a caret');
    t.match(complaint, /did you mean target_path\?/, 'and a suggestion');
    t.match(out, verb === 'validate' ? /errors? in/ : /^$/);
  }
  const refused = await vigocli('config', 'publish', '--json');
  t.match(JSON.parse(refused.complaint), {
    code: 'PUBLISH_INVALID',
    details: { diagnostics: [{}] },
  });
  writeFileSync(file, good);
  const history = await json('config', 'history');
  t.equal(history.items.length, 1, 'what was refused changed nothing');
  const table = await vigocli('config', 'history');
  t.match(table.out, /^VERSION +PUBLISHED.*\n +1 .*x \[2J/);
  t.notMatch(table.out, dangerous);
});

t.test('envoys: list, filter, show, revoke with the name given twice', async (t) => {
  const list = await json('envoys', 'list');
  t.same(
    list.items.map(({ hostname }) => hostname),
    ['host-0', 'host-1', 'host-2', 'host-3'],
  );
  t.equal(list.next, null);
  const [some, glob, byId, plain] = await Promise.all([
    json('envoys', 'list', '--limit', '3'),
    json('envoys', 'list', '--match', '*-[12]', '--state', 'no data'),
    json('envoys', 'show', String(list.items[2]?.id)),
    vigocli('envoys', 'list', '--plain'),
  ]);
  t.equal(some.items.length, 3);
  const rest = await json('envoys', 'list', '--limit', '3', '--cursor', String(some.next));
  t.equal(rest.items.length, 1);
  t.equal(glob.items.length, 2);
  t.match(byId, { hostname: 'host-2', runs: [] });
  t.match(plain.out, /^host-0\tno data\tnever\t/);
  t.match(await vigocli('envoys', 'show', 'host-1'), { code: 0, out: /^Host: +host-1\nID: / });
  t.match(await vigocli('envoys', 'show', 'host-9'), { code: 1, complaint: /^API_NOT_FOUND: / });

  const revoke = ['envoys', 'revoke', 'host-3', '--reason', 'stolen'];
  const unconfirmed = await vigocli(...revoke);
  t.match(unconfirmed, { code: 64, complaint: /not confirmed\nadd --confirm host-3/ });
  t.equal((await vigocli(...revoke, '--confirm', 'host-2')).code, 64);
  t.match(await json('envoys', 'show', 'host-3'), { revoked: false });
  t.match(await vigocli(...revoke, '--confirm', 'host-3'), {
    code: 0,
    out: /host-3 .* is revoked/,
  });
  t.match(await json('envoys', 'show', 'host-3'), { revoked: true, state: 'revoked' });
});

t.test('runs: the reason and the difference, by the beginning of the id', async (t) => {
  t.match(await vigocli('runs', 'show'), { code: 1, complaint: /no runs were reported yet/ });
  const [first, second] = envoys as [TestEnvoy, TestEnvoy];
  const result = {
    id: `app/${hostile}`,
    type: 'file',
    errorCode: '',
    durationMs: 3,
    assumed: false,
  };
  const results = [
    {
      ...result,
      action: ResourceAction.RESOURCE_ACTION_UPDATED,
      reason: `the file differs ${hostile}`,
      diff: `-a${hostile}\n+b`,
    },
    {
      ...result,
      id: 'app/Note',
      action: ResourceAction.RESOURCE_ACTION_SKIPPED,
      reason: 'not triggered',
      diff: '',
    },
  ];
  first.moveTo(grpcPort);
  second.moveTo(grpcPort);
  const summary = { ...emptyOf(RunSummary), total: 2, updated: 1, skipped: 1 };
  await first.report({ runId, results: results, state: 2, summary });
  await second.report({ runId: twinId });
  const database = new TestDatabase(server.home.layout.database);
  t.ok(await eventually(() => database.rows('SELECT 1 FROM runs').length === 2));

  const list = await json('runs', 'list', '--envoy', 'host-0');
  t.match(list.items, [{ id: runText, state: 'changed', hostname: 'host-0' }]);
  t.match(await vigocli('runs', 'list'), { code: 0, out: /aabbccdd +host-/ });
  t.match(await json('runs', 'show', runText.slice(0, 36)), { id: runText });
  t.match(await vigocli('runs', 'show', 'aabbccdd'), { code: 64, complaint: /^API_AMBIGUOUS/ });
  t.match(await vigocli('runs', 'show', 'aabbccd'), { code: 1, complaint: /^API_NOT_FOUND/ });
  const prefix = runText.slice(0, 35);
  t.match(await vigocli('runs', 'show', prefix), { code: 64 });
  const shown = await vigocli('runs', 'show', runText);
  t.match(shown, { code: 0, out: /the file differs x[\s\S]*\n +\+b/ });
  t.notMatch(shown.out, /app\/Note/, 'what a condition skipped is not news');
  t.match((await vigocli('runs', 'show', runText, '--all')).out, /app\/Note: not triggered/);
  for (const form of [[], ['--json'], ['--plain'], ['--all']]) {
    t.notMatch((await vigocli('runs', 'show', runText, ...form)).out, dangerous, form.join());
  }
  t.match(await json('runs', 'show'), { id: runText }, 'the last run that did something');
  const rehearsal = Buffer.from('bb223344112243338444556677889911', 'hex');
  await first.report({ runId: rehearsal, state: 2, dryRun: true, summary });
  t.ok(await eventually(() => database.rows('SELECT 1 FROM runs').length === 3));
  t.match(await vigocli('runs', 'list'), { out: /dry run: 1 updated of 2/ }, 'nothing was done');
  t.match(await json('runs', 'show'), { id: runText }, 'and a rehearsal is no run that did');
  const detail = await json('runs', 'show', runText);
  t.match(detail.results, [{ reason: `the file differs ${hostile}` }, {}], 'JSON says it all');
});

t.test('tokens: create, list, revoke twice, and never a second look at the secret', async (t) => {
  t.match(await vigocli('tokens', 'list'), { code: 0, out: /^No tokens/ });
  const made = await vigocli('tokens', 'create', '--match', 'web-*', 'db-1', '--expires', '2h');
  t.match(made, { code: 0, out: /^vigo-token-\S+\n$/ });
  t.match(made.complaint, new RegExp(`vigo register --server 127.0.0.1:${grpcPort} --token vigo`));
  const list = await json('tokens', 'list');
  t.match(list.items, [{ match: ['web-*', 'db-1'], createdBy: 'admin:local' }]);
  t.notMatch(JSON.stringify(list), made.out.trim());
  const id = String(list.items[0]?.id);
  for (let time = 0; time < 2; time++) {
    t.match(await vigocli('tokens', 'revoke', id), { code: 0, out: /is revoked/ });
  }
  t.match(await vigocli('tokens', 'list', '--plain'), { code: 0, out: /\trevoked\tweb-\* db-1\t/ });
  t.equal((await vigocli('tokens', 'revoke', 'nothing')).code, 1);
  t.equal((await vigocli('tokens', 'create', '--match', 'x', '--expires', 'soon')).code, 64);
  const events = await json('audit', 'list', '--type', 'token.revoked');
  t.equal(events.items.length, 1, 'the second time changed nothing');
});

t.test('status in all forms', async (t) => {
  t.match(await json('status'), { pid: server.process?.pid, envoys: {}, shards: [{}, {}] });
  t.match(await vigocli('status', '--plain'), { code: 0, out: /^shards\.0\.thread\tshard-0$/m });
  for (const COLUMNS of ['100', '60']) {
    const { out, code } = await cli([...home, 'status'], { COLUMNS });
    t.equal(code, 0);
    const widest = Math.max(
      ...out
        .split('\n')
        .slice(4)
        .map((line) => line.length),
    );
    t.ok(widest <= Number(COLUMNS), `${widest} columns of ${COLUMNS}`);
  }
  const coloured = await cli([...home, 'envoys', 'list'], { FORCE_COLOR: '1' });
  t.match(coloured.out, dangerous, 'colours are control characters');
  const { out } = await cli([...home, 'envoys', 'list'], { NO_COLOR: '1' });
  t.notMatch(out, dangerous);
});

t.test('audit: list, export, an offline proof, and a forged export', async (t) => {
  const list = await json('audit', 'list', '--limit', '5');
  t.equal(list.items.length, 5);
  t.match(await vigocli('audit', 'list'), { code: 0, out: /policy\.published +admin:local/ });
  const exported = (await vigocli('audit', 'export')).out;
  const file = join(server.directory, 'export.jsonl');
  writeFileSync(file, exported);
  const online = await json('audit', 'verify');
  // The export begins with its checkpoint.
  const entries = exported.trimEnd().split('\n').length - 1;
  t.match(online, { verified: true, entries, continues: null });
  const head = String(online.head);
  const offline = ['audit', 'verify', '--file', file];
  t.match(JSON.parse((await cli([...offline, '--json'])).out), { head, verified: true });
  t.equal((await cli([...offline, '--expect-head', head])).code, 0);
  const lines = exported.trimEnd().split('\n');
  const broken: Record<string, string> = {
    altered: exported.replace('policy.published', 'policy.publishef'),
    reordered: [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n'),
    removed: lines.toSpliced(2, 1).join('\n'),
    cut: lines.slice(0, -1).join('\n'),
    nonsense: `${exported}not an entry\n`,
  };
  for (const [name, text] of Object.entries(broken)) {
    writeFileSync(file, text);
    const { code, complaint } = await cli([...offline, '--expect-head', head]);
    t.equal(code, 4, name);
    t.match(complaint, /^CLI_AUDIT_BROKEN: /, name);
  }
  const absent = await cli(['audit', 'verify', '--file', '/nowhere']);
  t.match(absent, { code: 1, complaint: /^CLI_FILE_UNREADABLE.*ENOENT/ });
});

t.test('strangers: wrong token, foreign CA, no server', async (t) => {
  const { apiPort } = JSON.parse(readFileSync(join(server.directory, 'run.json'), 'utf8')) as {
    apiPort: number;
  };
  const wrong = join(server.directory, 'wrong');
  writeFileSync(wrong, 'vgot_wrong');
  const other = await TestServer.make(t);
  const token = ['--token-file', wrong];
  t.match(await vigocli('status', ...token), { code: 4, complaint: /^API_UNAUTHENTICATED/ });
  const foreign = ['--ca-file', join(other.directory, 'tls/ca.cert.pem')];
  t.match(await vigocli('status', ...foreign), { code: 4, complaint: /^CLI_UNTRUSTED_SERVER/ });
  const named = ['--server', `localhost:${apiPort}`, 'status'];
  t.equal((await vigocli(...named)).code, 0, 'by name, as from another machine');
  await server.signal('SIGTERM');
  t.match(await vigocli('status'), { code: 5, complaint: /no server runs there\n.*vigosrv start/ });
  t.match(await vigocli(...named), { code: 5, complaint: /^CLI_UNREACHABLE.*ECONNREFUSED/ });
});
