import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { trialScript, trialStartLimit } from '../../../agent/update/trial-script.ts';

/** Shells that service scripts meet: Debian's, that of the Red Hats, that of small systems. */
const shells = [['/bin/dash'], ['/bin/bash', '--posix'], ['/bin/busybox', 'sh']].filter(([path]) =>
  existsSync(path ?? ''),
);
const oldProgram = '#!/bin/sh\necho "old $*"\n';
const patienceMs = 30_000;
const together = { buffered: true };

/** A program directory with two versions, the newer one on trial. */
class TrialDirectory {
  readonly path: string;
  readonly #shell: readonly string[];
  output = '';
  child: ChildProcess | undefined;

  constructor(
    t: { teardown(run: () => void): void },
    shell: readonly string[],
    newProgram: string,
    seconds = 60,
  ) {
    this.#shell = shell;
    // A name that a careless script would stumble over.
    this.path = join(mkdtempSync(join(tmpdir(), 'vigo-trial-')), "it's a $dir");
    t.teardown(() => rmSync(join(this.path, '..'), { recursive: true, force: true }));
    for (const name of ['1.0.0', '2.0.0', 'trial'])
      mkdirSync(join(this.path, name), { recursive: true });
    this.write('1.0.0/vigo', oldProgram);
    this.write('2.0.0/vigo', newProgram);
    this.write('trial/versions', '1.0.0 2.0.0\n');
    this.write(
      'trial/vigo',
      trialScript({ directory: this.path, from: '1.0.0', to: '2.0.0', seconds }),
    );
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
    if (name.endsWith('/vigo')) chmodSync(join(this.path, name), 0o755);
  }

  read(name: string): string | undefined {
    const path = join(this.path, name);
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
  }

  /** Starts what `current` would name; resolves with the exit code. */
  run(...args: string[]): Promise<number | null> {
    const [shell, ...flags] = this.#shell;
    const child = spawn(shell ?? '', [...flags, join(this.path, 'trial/vigo'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const take = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const limit = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    return new Promise((resolve) =>
      child.once('close', (code) => {
        clearTimeout(limit);
        resolve(code);
      }),
    );
  }

  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Runs until it is told to end, like an agent. */
function staying(first: string): string {
  return `#!/bin/sh\ntrap 'echo stopped; exit 0' TERM\n${first}\necho running\nwhile :; do sleep 0.1; done\n`;
}

t.jobs = shells.length;
for (const shell of shells) {
  t.test(`under ${shell.join(' ')}`, { jobs: 9, buffered: true }, async (t) => {
    const returns: readonly [string, string, string, number][] = [
      ['is no program', 'garbage that no kernel loads\n', 'no-start', 60],
      ['ends at once', '#!/bin/sh\necho tried\nexit 3\n', 'ended exit code 3', 60],
      ['says nothing', staying(':'), 'no-check-in', 1],
      ['dies of a signal', '#!/bin/sh\nkill -KILL $$\n', 'ended', 60],
    ];
    for (const [what, program, cause, seconds] of returns) {
      t.test(`a version that ${what} gives way to the old one`, together, async (t) => {
        const trial = new TrialDirectory(t, shell, program, seconds);
        t.equal(await trial.run('daemon', '--json'), 0);
        t.match(trial.output, /^old daemon --json$/m);
        t.match(trial.read('trial/cause'), cause);
        await trial.run('daemon');
        t.match(trial.output, /^old daemon$/m, 'also at every later start');
      });
    }
    t.test(
      'a version that has proved itself is left alone, and told to end',
      together,
      async (t) => {
        const trial = new TrialDirectory(t, shell, staying(''), 1);
        const ended = trial.run('daemon');
        await trial.says('running');
        trial.write('trial/accepted', '');
        await new Promise((resolve) => setTimeout(resolve, 2500));
        t.notOk(trial.output.includes('old'), 'longer than the trial lasts');
        trial.child?.kill('SIGTERM');
        t.equal(await ended, 0);
        t.match(trial.output, 'stopped');
        t.equal(trial.read('trial/cause'), undefined);
      },
    );
    t.test(
      'a service that is stopped during a trial stops, and the trial goes on',
      together,
      async (t) => {
        const trial = new TrialDirectory(t, shell, staying(''));
        const ended = trial.run('daemon');
        await trial.says('running');
        trial.child?.kill('SIGTERM');
        t.equal(await ended, 0);
        t.match(trial.output, 'stopped');
        t.equal(trial.read('trial/cause'), undefined);
        t.equal(trial.read('trial/starts'), '.');
      },
    );
    t.test(
      'a machine that restarts again and again gets its old version back',
      together,
      async (t) => {
        const trial = new TrialDirectory(t, shell, staying(''));
        trial.write('trial/starts', '.'.repeat(trialStartLimit));
        t.equal(await trial.run('daemon'), 0);
        t.match(trial.read('trial/cause'), 'interrupted');
        t.match(trial.output, 'old daemon');
      },
    );
    t.test('where nothing can be written down, the old version runs', together, async (t) => {
      const trial = new TrialDirectory(t, shell, staying(''));
      mkdirSync(join(trial.path, 'trial/starts'));
      t.equal(await trial.run('daemon'), 0);
      t.match(trial.output, 'old daemon');
    });
    t.test(
      'other commands are those of the new version, whatever it is worth',
      together,
      async (t) => {
        const trial = new TrialDirectory(t, shell, '#!/bin/sh\necho "new $*"\n');
        t.equal(await trial.run('status', '--json'), 0);
        t.match(trial.output, 'new status --json');
        t.equal(trial.read('trial/starts'), undefined);
      },
    );
  });
}
