import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { completionScript } from '../../../admin/cli/completion.ts';
import { buildProgram } from '../../../admin/cli/program.ts';
import { programFile } from '../../support/program.ts';
import { requires } from '../../support/requires.ts';

const work = mkdtempSync(join(tmpdir(), 'vigo-live-'));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const main = programFile('admin/cli/main');
const flags = '--disable-warning=ExperimentalWarning';
const program = join(work, 'vigocli');
writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" ${flags} "${main}" "$@"\n`);
chmodSync(program, 0o755);

/** In a thread of its own: this one waits for the shells. */
const server = new Worker(new URL('../../support/fake-fleet.ts', import.meta.url));
const options = await new Promise<string[]>((resolve) => server.once('message', resolve));
t.teardown(() => void server.postMessage('end'));
let isSilent = false;
const typed = `vigocli ${options.join(' ')}`;

function shell(name: string, args: readonly string[], home = 'home'): string[] {
  const env = {
    PATH: `${work}:${process.env.PATH}`,
    HOME: join(work, home),
    TERM: 'dumb',
    // On a busy machine a handshake may take a second.
    ...(isSilent ? {} : { VIGO_COMPLETION_LIMIT_MS: '30000' }),
  };
  const run = spawnSync(name, args, { encoding: 'utf8', cwd: work, env, timeout: 60_000 });
  t.equal(run.error, undefined, `${name} came back`);
  return run.stdout.split(/\r?\n/).filter((line) => line !== '');
}

function scriptFile(name: 'bash' | 'zsh' | 'fish'): string {
  const file = join(work, `_${name}`);
  writeFileSync(file, completionScript(buildProgram(), name));
  return file;
}

function bash(line: string, home?: string): string[] {
  const code = `
    source "$1"; set -- $2
    COMP_WORDS=("$@" ""); COMP_CWORD=$#
    [ "$3x" = x ] || true
    _vigocli; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return shell('bash', ['--norc', '-c', code, 'bash', scriptFile('bash'), line], home);
}

t.test(
  'bash, fish and zsh offer what the server knows',
  {
    skip: requires('command:bash', 'command:fish', 'command:zsh'),
  },
  async (t) => {
    const hosts = bash(`${typed} envoys show`).filter((word) => !word.startsWith('-'));
    t.same(hosts.sort(), ['db-1', 'web-1', 'web-2'], 'host names');
    t.notOk(existsSync(join(work, 'hacked')), 'a hostile host name runs nothing');
    t.same(bash(`${typed} runs list --envoy`).sort(), ['db-1', 'web-1', 'web-2'], 'of an option');
    t.ok(bash(`${typed} tokens revoke`).includes('c0f8681a8f027e67'), 'ids of tokens');
    t.ok(bash(`${typed} config rollback`).includes('7'), 'versions');
    t.same(bash('vigocli --context'), ['default'], 'contexts');

    const fish = (line: string) =>
      shell('fish', ['-N', '-c', `source ${scriptFile('fish')}; complete -C '${line} '`]);
    t.same(fish(`${typed} envoys show`).sort(), ['db-1', 'web-1', 'web-2']);
    t.ok(
      fish(`${typed} tokens`).some((line) => line.startsWith('create\t')),
      'and commands',
    );
    t.notOk(existsSync(join(work, 'hacked')));

    t.same(zsh(`${typed} envoys show `).sort(), ['db-1', 'web-1', 'web-2']);
    t.notOk(existsSync(join(work, 'hacked')));
  },
);

/** A real zsh on a pseudo-terminal of zsh's own, whose compadd tells what it was given. */
function zsh(line: string): string[] {
  const code = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell 'PS1=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D'
    zpty -w shell 'source ${scriptFile('zsh')}'
    zpty -w shell 'compadd() { [[ $1 == -- ]] && { print -rl -- "$@[2,-1]" > ${work}/offered; }; builtin compadd "$@" }'
    zpty -w shell 'bindkey "^I" complete-word; touch ${work}/ready'
    for ((n = 0; n < 600; n++)); do [[ -e ${work}/ready ]] && break; sleep 0.1; done
    zpty -n -w shell "$1"$'\\t'
    for ((n = 0; n < 600; n++)); do [[ -s ${work}/offered ]] && break; sleep 0.1; done
    cat ${work}/offered
    zpty -d shell`;
  return shell('zsh', ['-f', '-c', code, 'zsh', line]);
}

t.test(
  'Tab comes back when the server says nothing, and the next one at once',
  {
    skip: requires('command:bash'),
  },
  async (t) => {
    server.postMessage('silent');
    isSilent = true;
    const words = (home: string) =>
      bash(`${typed} envoys show`, home).filter((word) => !word.startsWith('-'));
    t.same(words('other'), [], 'nothing to offer');
    const cache = join(work, 'other', '.cache', 'vigo', 'completion');
    t.equal(readdirSync(cache).length, 1, 'that it failed is remembered');
    t.same(words('home').sort(), ['db-1', 'web-1', 'web-2'], 'what was known is offered');
    const gone = [
      'bash',
      '--norc',
      '-c',
      'vigocli __complete envoys --server 127.0.0.1:1; echo $?',
    ];
    t.same(shell(gone[0] ?? '', gone.slice(1), 'third'), ['0'], 'no server: no words, no error');
  },
);
