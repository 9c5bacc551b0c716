import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import t from 'tap';
import { buildProgram } from '../../../admin/cli/program.ts';
import { programFile } from '../../support/program.ts';

const main = programFile('admin/cli/main');

function walk(command: Command, path: readonly string[] = []): [Command, readonly string[]][] {
  const below = command.commands.flatMap((child) => walk(child, [...path, child.name()]));
  return [[command, path], ...below];
}

function quietProgram(): Command {
  const program = buildProgram();
  const silence = { writeOut: () => {}, writeErr: () => {} };
  for (const [command] of walk(program)) command.configureOutput(silence);
  return program;
}

async function codeOf(args: readonly string[]): Promise<{ code: string; exitCode: number }> {
  try {
    await quietProgram().parseAsync(['node', 'vigocli', ...args]);
    return { code: 'none', exitCode: 0 };
  } catch (error) {
    return error as { code: string; exitCode: number };
  }
}

t.test('every command explains itself and refuses what it does not know', async (t) => {
  for (const [command, path] of walk(buildProgram())) {
    const name = ['vigocli', ...path].join(' ');
    t.ok(command.description(), `${name} has a description`);
    for (const option of command.options) t.ok(option.description, `${name} ${option.long}`);
    const help = await codeOf([...path, '--help']);
    t.equal(help.code, 'commander.helpDisplayed', `${name} --help`);
    t.equal(help.exitCode, 0);
    const values = command.options.filter(({ mandatory }) => mandatory);
    const required = [
      ...command.registeredArguments.map(() => 'bash'),
      ...values.flatMap(({ long, argChoices }) => [String(long), argChoices?.[0] ?? 'x']),
    ];
    const unknown = await codeOf([...path, ...required, '--no-such-option']);
    t.equal(unknown.code, 'commander.unknownOption', `${name} --no-such-option`);
  }
});

const cases: [args: readonly string[], exitCode: number, words: RegExp][] = [
  [['--help'], 0, /^Examples:\n {2}vigocli .*\nUsage: vigocli/s],
  [['runs', 'show', '--help'], 0, /--home <dir>/],
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
  [[], 64, /Usage: vigocli/],
  [['tokens'], 64, /Usage: vigocli tokens/],
  [['tokes'], 64, /CLI_USAGE.*unknown command 'tokes'\n\(Did you mean tokens\?\)/s],
  [['status', '--hom', 'x'], 64, /unknown option '--hom'\n\(Did you mean --home\?\)/],
  [['tokens', 'create'], 64, /required option '--match <glob\.\.\.>'/],
  [['tokens', 'revoke'], 64, /missing required argument 'id'/],
  [['runs', 'list', '--state', 'green'], 64, /Allowed choices are converged/],
  [['runs', 'list', '--limit', '0'], 64, /number from 1 to 500/],
  [['status', 'now'], 64, /too many arguments/],
  [['status'], 64, /CLI_NO_SERVER.*\n.*--home DIR/],
  [['--server', 'ftp://x', 'status'], 64, /only https is spoken/],
  [['--home', '/nowhere', 'status'], 5, /CLI_UNREACHABLE.*no such directory/],
];

t.test('the exit code tells a script what happened', async (t) => {
  for (const [args, exitCode, words] of cases) {
    const env = { PATH: process.env.PATH, HOME: '/nowhere' };
    const run = spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
    t.equal(run.status, exitCode, `vigocli ${args.join(' ')}: ${run.stderr}`);
    t.match(exitCode === 0 ? run.stdout : run.stderr, words);
    if (exitCode !== 0) t.equal(run.stdout, '', 'complaints go to stderr');
    t.notMatch(run.stderr, /\n\s+at /, 'no stack trace');
  }
});

t.test('with --json a complaint is JSON too', async (t) => {
  const env = { PATH: process.env.PATH, HOME: '/nowhere' };
  for (const args of [
    ['--json', 'nothing'],
    ['status', '--json'],
    ['status', '--json', '--x'],
  ]) {
    const run = spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
    t.equal(run.status, 64);
    const complaint = JSON.parse(run.stderr) as Record<string, string>;
    t.match(complaint.code, /^CLI_/);
    t.ok(complaint.message && complaint.remedy);
  }
});
