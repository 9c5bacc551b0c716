import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import t from 'tap';
import { exitCodes } from '../../../admin/cli/exit-codes.ts';
import { buildProgram } from '../../../admin/cli/program.ts';
import { examplesOf } from '../../../admin/cli/verb-command.ts';
import { FakeApi } from '../../support/fake-api.ts';

interface Result {
  readonly code: number;
  readonly out: string;
  readonly complaint: string;
}

interface Verb {
  readonly path: string;
  readonly command: Command;
  /** Arguments of an example, without the program. */
  readonly example: readonly string[];
}

const runner = new URL('../../support/run-verbs.ts', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'vigo-contract-'));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const api = await FakeApi.open();
t.teardown(() => api.close());

/** Verbs that do their work without a server, by what they do with no network at all. */
const local = new Set([
  'completion',
  'man',
  'config schema',
  'config examples list',
  'config examples copy',
  'releases sign',
  'releases key',
  'backup restore',
  'audit forget',
  'context list',
  'context use',
  'context add',
  'context show',
  'context remove',
  'auth status',
  'auth logout',
  'config edit',
]);

/** Where the example would ask somebody, or read a file that is not there. */
const password = ['--password-file', 'new-password'];
const instead: Readonly<Record<string, readonly string[]>> = {
  'secrets set': ['secrets', 'set', 'db/password', '--file', 'new-password'],
  'auth login': ['auth', 'login', '--name', 'alice', ...password],
  'auth change-password': [
    ...['auth', 'change-password', ...password],
    ...['--new-password-file', 'other-password'],
  ],
  'auth enable-totp': ['auth', 'enable-totp', ...password],
  'auth disable-totp': ['auth', 'disable-totp', '--code', '123456'],
  'auth add-key': ['auth', 'add-key', 'key.pub'],
  'users add-key': ['users', 'add-key', 'grace', 'key.pub'],
  'config promote': ['config', 'promote', '--from', 'a', '--to', 'b', '--stack', 'stack', '--yes'],
};

function verbs(command: Command, path: readonly string[] = []): Verb[] {
  if (command.commands.length > 0)
    return command.commands.flatMap((child) => verbs(child, [...path, child.name()]));
  const name = path.join(' ');
  const own = linesOf(command).find((line) => line.startsWith(`vigocli ${name}`));
  const example = instead[name] ?? shellWords(own ?? `vigocli ${name}`).slice(1);
  return [{ path: name, command, example }];
}

/** What is continued on the next line is one line. */
function linesOf(command: Command): string[] {
  return examplesOf(command)
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
}

function shellWords(line: string): string[] {
  const words = line.replace(/ [>|] .*/, '').match(/"[^"]*"|\S+/g) ?? [];
  return words.map((word) => word.replaceAll('"', ''));
}

/** Every call in one process, in an empty directory and with no server in the environment. */
function run(calls: readonly (readonly string[])[]): Promise<Result[]> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: work,
    VIGO_AUDIT_MEMORY: 'off',
    EDITOR: 'true',
  };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', runner], {
    cwd: work,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stdin.end(JSON.stringify(calls));
  return new Promise((resolve, reject) => {
    child.once('close', () => {
      try {
        resolve(JSON.parse(text) as Result[]);
      } catch {
        reject(new Error(`the verbs did not come to an end: ${text.slice(0, 500)}`));
      }
    });
  });
}

/** --no-input: what only a person could say is missing, and named, before anybody else is asked. */
function needsSomebody(code: number, complaint: string): boolean {
  return code === exitCodes.usage && /nobody can be asked|was not confirmed/.test(complaint);
}

const all = verbs(buildProgram());
/** An example may name files: those that are read are there. */
for (const name of ['key.pem', 'release.pem', 'vigo', 'audit.jsonl', 'new-password'])
  writeFileSync(join(work, name), 'x\n');
writeFileSync(join(work, 'other-password'), 'y\n');
writeFileSync(join(work, 'key.pub'), `ssh-ed25519 ${sshKey()} grace\n`);
mkdirSync(join(work, 'stack'));
writeFileSync(join(work, 'stack', 'environments.vgo'), 'env:\n  a:\n    vars: {x: "1"}\n');

/** RFC 8709, section 4: two strings, each behind its length. */
function sshKey(): string {
  const parts = [Buffer.from('ssh-ed25519'), Buffer.alloc(32, 7)];
  const packed = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return Buffer.concat(packed).toString('base64');
}
const remote = all.filter(({ path }) => !local.has(path));
const calls = (flags: readonly string[], list = remote) =>
  list.map(({ example }) => [
    ...flags,
    '--no-input',
    ...example.filter((word) => word !== '--wait'),
  ]);

t.test('every verb has an example that it understands', async (t) => {
  for (const { path, command } of all) {
    const lines = linesOf(command);
    t.ok(
      lines.some((line) => line.startsWith(`vigocli ${path}`)),
      `${path} has an example`,
    );
    for (const line of lines) {
      const program = buildProgram();
      let ran = '';
      for (const verb of verbs(program)) {
        verb.command.action(() => {
          ran = verb.path;
        });
      }
      await program.parseAsync(['node', ...shellWords(line)]);
      t.equal(ran, line.startsWith(`vigocli ${path}`) ? path : ran, line);
    }
    const help = command.helpInformation();
    t.ok(help.indexOf('Examples:') === 0 && help.indexOf('Usage:') > 0, `${path}: examples first`);
  }
});

t.test('what was not understood ends with 64, for every verb', async (t) => {
  const cases = all.flatMap(({ path, command }) => {
    const words = path.split(' ');
    const needed = command.registeredArguments.some(({ required }) => required);
    return [
      [...words, '--no-such-option'],
      [...words, ...Array.from({ length: 9 }, () => 'too-many'), '--no-such-option'],
      ...(needed ? [words] : []),
      [...words.slice(0, -1), `${words.at(-1)}x`, '--json'],
    ];
  });
  const results = await run(cases);
  for (const [at, { code, out, complaint }] of results.entries()) {
    const line = cases[at]?.join(' ');
    t.equal(code, exitCodes.usage, `vigocli ${line}: ${complaint}`);
    t.equal(out, '', 'nothing on the standard output');
    t.match(complaint, /CLI_USAGE/);
  }
});

t.test('a server that is away ends with 5', async (t) => {
  const away = ['--server', '127.0.0.1:1', ...api.files];
  const results = await run(calls(away));
  for (const [at, { code, complaint }] of results.entries()) {
    const expected = needsSomebody(code, complaint) ? code : exitCodes.unreachable;
    t.equal(code, expected, `${remote[at]?.path}: ${complaint}`);
  }
});

t.test('a server that cannot be believed, and a token that it refuses, end with 4', async (t) => {
  const other = await FakeApi.open();
  const foreign = ['--server', api.server, ...other.files];
  const problem = {
    status: 401,
    code: 'API_UNAUTHENTICATED',
    detail: 'this needs a valid API token: the token has expired',
    remedy: 'log in again',
  };
  api.answer = (_method, path) => {
    if (path === '/healthz') return { status: 200, body: '{"ok":true}' };
    return { status: 401, body: JSON.stringify(problem) };
  };
  try {
    const results = [...(await run(calls(foreign))), ...(await run(calls(api.flags)))];
    for (const [at, { code, complaint }] of results.entries()) {
      const expected = needsSomebody(code, complaint) ? code : exitCodes.refused;
      t.equal(code, expected, `${remote[at % remote.length]?.path}: ${complaint}`);
    }
  } finally {
    other.close();
  }
});

t.test('what is no Vigo server, and a server that is busy', async (t) => {
  const busy = { status: 503, code: 'API_BUSY', detail: 'too many ask', remedy: 'later' };
  const answers = [
    ['<html>nginx</html>', 200, [exitCodes.error]],
    [JSON.stringify(busy), 503, [exitCodes.unreachable]],
  ] as const;
  const asking = remote.filter(({ path }) => path !== 'doctor');
  for (const [body, status, expected] of answers) {
    api.answer = () => ({ status, body });
    const results = await run(calls(api.flags, asking));
    for (const [at, { code, complaint }] of results.entries()) {
      const words = `${asking[at]?.path}, ${status}: ${complaint}`;
      const isMet = expected.includes(code as never) || needsSomebody(code, complaint);
      t.ok(isMet, `${code} ${words}`);
      t.notMatch(complaint, /\n\s+at /, 'no stack trace');
    }
  }
});
