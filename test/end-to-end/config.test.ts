import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { programFile } from '../support/program.ts';
import { requires } from '../support/requires.ts';
import { TestServer } from './support/server-process.ts';
import { type CliResult, cli } from './support/vigocli.ts';

const hostile = 'x\u001b[2J\u009b31m\u202ey';
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const main = programFile('admin/cli/main');
const demo = new URL('../../admin/demo/stack', import.meta.url).pathname;

const server = await TestServer.make(t);
await server.provision(2);
await server.start();
const home = ['--home', server.directory];
const stacks = join(server.directory, 'stacks');
cpSync(demo, stacks, { recursive: true });

const work = mkdtempSync(join(tmpdir(), 'vigo-config-'));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const checkout = join(work, 'checkout');
cpSync(demo, checkout, { recursive: true });
const edits = join(work, 'state/vigo/edits');

const vigocli = (...args: string[]): Promise<CliResult> =>
  cli([...home, ...args], { XDG_STATE_HOME: join(work, 'state') });

async function json<T>(...args: string[]): Promise<T> {
  const { code, out, complaint } = await vigocli(...args, '--json');
  t.equal(code, 0, `${args.join(' ')}: ${complaint}`);
  return JSON.parse(out) as T;
}

t.test('schemas of a checkout flag what the server finds in it', async (t) => {
  const file = join(checkout, 'modules/greeting.vgo');
  const good = readFileSync(file, 'utf8');
  const secret = '  - {name: key, type: file, target_path: /etc/key, content: "secret:no/such"}\n';
  writeFileSync(file, `${good}${secret}`);
  const checked = ['config', 'schema', 'module', '--stack', checkout, '--validate'];
  t.match(JSON.stringify(await json(...checked)), 'there is no secret no/such');
  writeFileSync(file, good);
  t.notMatch(JSON.stringify(await json(...checked)), 'there is no secret');
  t.match(await vigocli('config', 'schema', '--validate'), { code: 64, complaint: /--stack/ });
});

t.test("a checkout is checked and published without the server's own directory", async (t) => {
  const file = join(checkout, 'modules/greeting.vgo');
  const good = readFileSync(file, 'utf8');
  t.match(await vigocli('config', 'validate', '--stack', checkout), { code: 0, out: /^Valid/ });
  writeFileSync(file, good.replace('type: file', 'type: fil'));
  const wrong = await vigocli('config', 'validate', '--stack', checkout);
  t.match(wrong, { code: 1, complaint: /^modules\/greeting\.vgo:\d+:\d+: error: /m });
  t.equal((await vigocli('config', 'validate')).code, 0, "the server's own is another");
  writeFileSync(file, `${good}# from the checkout\n`);
  mkdirSync(join(checkout, '.git'));
  writeFileSync(join(checkout, '.git/config.vgo'), 'not sent');
  writeFileSync(join(checkout, 'notes.txt'), 'not sent');
  const published = await json<object>('config', 'publish', '-m', hostile, '--stack', checkout);
  t.match(published, { version: 1, changed: true });
  t.notMatch(readFileSync(join(stacks, 'modules/greeting.vgo'), 'utf8'), 'from the checkout');
  t.same(readdirSync(join(server.directory, 'state/uploads')), [], 'nothing stays behind');
  const empty = join(work, 'empty');
  mkdirSync(empty);
  t.match(await vigocli('config', 'validate', '--stack', empty), {
    code: 1,
    complaint: /^CLI_NO_STACK.*no \.vgo file/,
  });
  t.equal((await vigocli('config', 'validate', '--stack', '/nowhere')).code, 1);
});

t.test('trace, tree and search tell where things come from', async (t) => {
  const trace = await vigocli('config', 'trace', 'host-0');
  t.match(trace, { code: 0, out: /^host-0 in stack\nentry \* +site\.vgo:\d+$/m });
  t.match(trace.out, /owner = "you" {2}entry {2}site\.vgo:\d+/, 'a variable and its file');
  t.match(trace.out, /from role welcome entry/, 'a module and its reason');
  t.match(trace.out, /traits are not known/, 'it never checked in');
  const live = await vigocli('config', 'trace', 'host-0', '--live', '--module', 'greeting');
  t.match(live, { code: 0, out: /host-0 in live/ });
  t.match(await vigocli('config', 'trace', '--module', 'greeting'), {
    code: 0,
    out: /in role welcome[\s\S]*\+ entry \*/,
  });
  t.match(await vigocli('config', 'trace', '--module', 'greetin'), {
    code: 1,
    complaint: /^EXPLAIN_NO_MODULE: .*did you mean greeting\?/,
  });
  t.equal((await vigocli('config', 'trace')).code, 64);
  t.equal((await vigocli('config', 'trace', 'x', '--live', '--candidate')).code, 64);
  t.match(await vigocli('config', 'tree', '--stack', checkout), {
    code: 0,
    out: /^upload\/\n {2}common\.vgo {2}common\n/,
  });
  const found = await json<{ items: object[] }>('config', 'search', 'log_level', '--var');
  t.match(found.items, [{ kind: 'var', name: 'log_level', place: { file: /\.vgo$/ } }]);
  t.match(await vigocli('config', 'search', 'no such thing'), { code: 1, out: /^Nothing fits/ });
  writeFileSync(
    join(checkout, 'odd.vgo'),
    `envoys:\n  - match: "${hostile.replace('\u001b', '')}"\n`,
  );
  for (const verb of [['tree'], ['search', 'x'], ['trace', 'x'], ['validate']]) {
    const { out, complaint } = await vigocli('config', ...verb, '--stack', checkout);
    t.notMatch(out + complaint, dangerous, verb.join(' '));
  }
  rmSync(join(checkout, 'odd.vgo'));
});

/** An editor that runs these shell commands on "$1". */
function editor(script: string): string {
  const file = join(work, 'editor.sh');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

t.test('edit: saved when it is valid, in one step, with its mode, through a link', async (t) => {
  const file = join(stacks, 'modules/greeting.vgo');
  const real = join(stacks, 'greeting-text');
  cpSync(file, real);
  rmSync(file);
  symlinkSync(real, file);
  chmodSync(real, 0o640);
  const edit = ['config', 'edit', 'modules/greeting.vgo', '--editor'];
  const saved = await vigocli(...edit, editor('echo "# edited" >> "$1"'));
  t.match(saved, { code: 0, out: /^Saved modules\/greeting\.vgo/, complaint: /^\+# edited$/m });
  t.match(readFileSync(real, 'utf8'), /# edited\n$/);
  t.ok(lstatSync(file).isSymbolicLink(), 'the link stayed');
  t.equal(statSync(real).mode & 0o777, 0o640);
  t.match(await vigocli(...edit, editor('true')), { code: 0, out: /^Nothing changed/ });
  t.same(readdirSync(edits), [], 'a finished edit leaves no copy');
  const made = await vigocli(
    ...['config', 'edit', 'modules/sub/fresh.vgo', '--editor'],
    editor('printf "name: fresh\\nresources: []\\n" > "$1"'),
  );
  t.equal(made.code, 0, made.complaint);
  t.ok(existsSync(join(stacks, 'modules/sub/fresh.vgo')), 'a new file, with its directory');
});

t.test('edit: whatever goes wrong, what was typed is kept and the file is as it was', async (t) => {
  const file = join(stacks, 'modules/greeting.vgo');
  const before = readFileSync(file, 'utf8');
  const cases: [string, number, RegExp][] = [
    ['echo "typed: [" >> "$1"', 1, /CLI_STACK_INVALID: .*error/],
    ['echo "# typed" >> "$1"; exit 3', 1, /CLI_EDITOR_FAILED: .*exit code 3/],
    [`echo "# typed" >> "$1"; echo "# other" >> ${file}`, 1, /CLI_FILE_CHANGED/],
  ];
  for (const [script, code, words] of cases) {
    const run = await vigocli('config', 'edit', 'modules/greeting.vgo', '--editor', editor(script));
    t.match(run, { code, complaint: words }, script);
    const [, kept = ''] = /kept in (\S+)/.exec(run.complaint) ?? [];
    t.match(readFileSync(kept, 'utf8'), /typed/, 'and its place is told');
    t.equal(statSync(kept).mode & 0o777, 0o600);
  }
  t.equal(readFileSync(file, 'utf8'), `${before}# other\n`);
  for (const name of ['../server.yaml', '/etc/passwd', 'server.txt']) {
    const run = await vigocli('config', 'edit', name, '--editor', editor('echo x >> "$1"'));
    t.match(run, { code: 64, complaint: /^CLI_USAGE/ }, name);
  }
  const remote = await cli(['--server', 'localhost:1', 'config', 'edit', 'x.vgo'], {});
  t.match(remote, { code: 64, complaint: /--stack DIR/ });
});

t.test(
  'edit: a person is asked, and edits again',
  { skip: requires('command:script') },
  async (t) => {
    const file = join(stacks, 'modules/greeting.vgo');
    const before = readFileSync(file, 'utf8');
    const twice =
      editor(`if grep -q '^broken' "$1"; then sed -i '/^broken/d' "$1"; echo "# whole" >> "$1"
else echo "broken: [" >> "$1"; fi`);
    const line = `vigocli() { "${process.execPath}" --disable-warning=ExperimentalWarning "${main}" "$@"; }
vigocli --home ${server.directory} config edit modules/greeting.vgo --editor ${twice}`;
    const env = { ...process.env, XDG_STATE_HOME: join(work, 'state'), NO_COLOR: '1' };
    const terminal = spawn('script', ['-qec', line, '/dev/null'], { env });
    let seen = '';
    const code = await new Promise((resolve) => {
      terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
        seen += text;
        if (text.includes('iscard?')) terminal.stdin.write('e\n');
      });
      terminal.once('close', resolve);
    });
    t.equal(code, 0, seen);
    t.match(seen, /greeting\.vgo:\d+:\d+: error[\s\S]*\[e\]dit again[\s\S]*Saved modules/);
    t.equal(readFileSync(file, 'utf8'), `${before}# whole\n`);
  },
);

t.test('promote: asks, shows, writes, and says so in the history', async (t) => {
  const file = join(stacks, 'environments.vgo');
  const before = readFileSync(file, 'utf8');
  const promote = ['config', 'promote', '--from', 'demo', '--to', 'production'];
  const look = await vigocli(...promote, '--dry-run');
  t.match(look, { code: 2, complaint: /^- +log_level: warn\n\+ +log_level: debug$/m });
  t.match(await vigocli(...promote), { code: 64, complaint: /--yes/ }, 'nobody to ask');
  t.equal(readFileSync(file, 'utf8'), before);
  const done = await vigocli(...promote, '--yes', '--publish', '-m', 'release');
  t.match(done, { code: 0, out: /^Published version 2/ }, done.complaint);
  const [version] = (await json<{ items: object[] }>('config', 'history')).items;
  const origin = { kind: 'promote', from: 'demo', to: 'production' };
  t.match(version, { version: 2, message: 'release', origin });
  t.equal(readFileSync(file, 'utf8'), before.replace('warn', 'debug'), 'comments stay');
  t.match(await vigocli(...promote, '--yes'), { code: 0, out: /^production has all/ });
  const slip = await vigocli('config', 'promote', '--from', 'dem', '--to', 'production', '--yes');
  t.match(slip, { code: 1, complaint: /environment dem[\s\S]*there are: demo, production/ });
  t.match(await vigocli('config', 'show', 'live'), { code: 0, out: /promoted from demo/ });
  t.equal((await vigocli(...promote, '--module', 'nothing')).code, 1);
});
