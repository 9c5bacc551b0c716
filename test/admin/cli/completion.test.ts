import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { completionScript } from '../../../admin/cli/completion.ts';
import { buildProgram } from '../../../admin/cli/program.ts';
import { requires } from '../../support/requires.ts';

const directory = mkdtempSync(join(tmpdir(), 'vigo-completion-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

function scriptFile(shell: 'bash' | 'zsh' | 'fish'): string {
  const file = join(directory, shell);
  writeFileSync(file, completionScript(buildProgram(), shell));
  return file;
}

/** What bash offers for the last word. */
function offered(script: string, ...words: string[]): string[] {
  const program = `
    source "$1"; shift
    COMP_WORDS=(vigocli "$@"); COMP_CWORD=$#
    _vigocli
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ['--norc', '-c', program, 'bash', script, ...words];
  const run = spawnSync('bash', args, { encoding: 'utf8', cwd: directory });
  t.equal(run.stderr, '');
  return run.stdout.split('\n').filter((line) => line !== '');
}

t.test('bash completes commands, options and values', { skip: requires('command:bash') }, (t) => {
  const script = scriptFile('bash');
  const top = offered(script, '');
  t.match(new Set(top), new Set(['status', 'tokens', 'runs', 'completion', '--json', '--home']));
  t.notOk(top.includes('--match'), 'only what fits here');
  t.same(offered(script, 'to'), ['tokens']);
  t.same(offered(script, 'tokens', 'c'), ['create']);
  t.same(offered(script, 'config', 'roll'), ['rollback', 'rollout']);
  t.same(offered(script, 'config', 'rollout', 'p'), ['pause'], 'three words deep');
  t.same(offered(script, 'config', 'publish', '--on-failure', 'p'), ['pause']);
  t.same(offered(script, 'auth', 'create-token', '--role', 'op'), ['operator']);
  t.same(offered(script, '--home', '/srv', 'tokens', 're'), ['revoke'], 'values are no commands');
  t.same(offered(script, 'tokens', 'create', '--m'), ['--match']);
  t.same(offered(script, 'tokens', 'create', '--js'), ['--json'], 'global options everywhere');
  t.same(offered(script, 'envoys', 'list', '--state', 'no'), ['no data']);
  t.same(offered(script, 'completion', 'b'), ['bash']);
  t.same(offered(script, 'audit', 'verify', '--file', 'ba'), ['bash'], 'files');
  t.same(offered(script, 'tokens', 'create', '--expires', ''), [], 'nothing to guess');
  t.same(offered(script, 'runs', 'show', 'list', '--al'), ['--all'], 'an argument is no command');
  t.end();
});

t.test('every command and option is in every script', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = completionScript(buildProgram(), shell);
    for (const group of buildProgram().commands) {
      t.ok(script.includes(group.name()), `${shell}: ${group.name()}`);
      for (const command of group.commands) {
        t.ok(script.includes(command.name()), `${shell}: ${group.name()} ${command.name()}`);
        for (const { long } of command.options) {
          t.ok(
            script.includes(shell === 'fish' ? `-l ${long?.slice(2)}` : String(long)),
            String(long),
          );
        }
      }
    }
  }
});

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  t.test(`${shell} reads its script`, { skip: requires(`command:${shell}`) }, async (t) => {
    const run = spawnSync(shell, ['-n', scriptFile(shell)], { encoding: 'utf8' });
    t.equal(run.status, 0, run.stderr);
  });
}
