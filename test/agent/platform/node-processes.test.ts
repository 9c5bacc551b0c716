import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { NodeProcesses } from '../../../agent/platform/node-processes.ts';
import type { RunRequest } from '../../../agent/platform/platform.ts';
import { fc } from '../../support/property.ts';
import { requires } from '../../support/requires.ts';

const processes = new NodeProcesses();
const run = (argv: RunRequest['argv'], rest: Partial<RunRequest> = {}) =>
  processes.run({ argv, timeoutMs: 30_000, ...rest });
const shell = (command: string, rest: Partial<RunRequest> = {}) =>
  run(['/bin/sh', '-c', command], rest);

function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

t.test('exit codes, signals and both streams', async (t) => {
  t.match(await shell('echo out; echo err >&2; exit 7'), {
    exitCode: 7,
    signal: undefined,
    stdout: 'out\n',
    stderr: 'err\n',
    timedOut: false,
    truncated: false,
  });
  t.match(await shell('kill -9 $$'), { exitCode: -1, signal: 'SIGKILL' });
});

t.test('input is given, and a program that does not read it is no error', async (t) => {
  const stdin = new TextEncoder().encode('x'.repeat(500_000));
  t.match(await shell('wc -c', { stdin }), { stdout: /500000/ });
  t.match(await shell('exec true', { stdin }), { exitCode: 0 });
  t.match(await shell('read line; echo "[$line]"'), { stdout: '[]\n' }, 'no input is empty input');
});

t.test('output is bounded and the writer not held up', async (t) => {
  const result = await shell('yes | head -c 3000000', { outputLimit: 1000 });
  t.equal(result.stdout.length, 1000);
  t.equal(result.truncated, true);
  t.equal(result.exitCode, 0);
});

t.test('only what is named of the environment is inherited', async (t) => {
  // The second is what the agent's service is started with.
  for (const name of ['VIGO_TEST_LEAK', 'MALLOC_ARENA_MAX']) {
    process.env[name] = '1';
    t.teardown(() => delete process.env[name]);
  }
  const { stdout } = await run(['env'], { environment: { GIVEN: 'yes' } });
  t.notMatch(stdout, /LEAK|ARENA/);
  t.match(stdout, /^GIVEN=yes$/m);
  t.match(stdout, /^PATH=/m);
});

t.test('a missing program and a missing directory are told apart', async (t) => {
  await t.rejects(run(['no-such-program']), { code: 'ENOENT', operation: 'spawn' });
  await t.rejects(run(['true'], { cwd: '/none' }), { code: 'ENOENT', operation: 'chdir' });
  await t.rejects(run(['true', 'nul\0']), { code: 'ERR_INVALID_ARG_VALUE' });
});

const linux = requires('linux');

t.test(
  'the time limit ends the whole group, also what ignores TERM',
  { skip: linux },
  async (t) => {
    const command = `(trap '' TERM; echo $$; sh -c 'echo $PPID; exec sleep 60') & echo $!; wait`;
    const result = await shell(command, { timeoutMs: 300 });
    t.equal(result.timedOut, true);
    const pids = result.stdout.split('\n').filter(Boolean).map(Number);
    t.ok(pids.length >= 2);
    await pause(50);
    for (const pid of pids) t.notOk(isAlive(pid), `${pid} is dead`);
  },
);

t.test('an abort ends the group and rejects', { skip: linux }, async (t) => {
  const stop = new AbortController();
  const running = shell('exec sleep 60', { signal: stop.signal });
  setImmediate(() => stop.abort());
  await t.rejects(running, { code: 'ECANCELED' });
  await t.rejects(shell('true', { signal: stop.signal }), { code: 'ECANCELED' });
});

t.test('a process in the background that holds the output is not waited for', async (t) => {
  const result = await shell('sleep 20 & echo $!');
  t.equal(result.exitCode, 0);
  const pid = Number(result.stdout);
  t.ok(linux !== false || isAlive(pid), 'it was left running');
  process.kill(pid, 'SIGKILL');
});

t.test('started in the background', { skip: linux }, async (t) => {
  const place = t.testdir({});
  const started = await shell(`sleep 0.1; echo $$ > ${place}/pid`, { background: true });
  t.equal(started.exitCode, 0);
  t.notOk(existsSync(`${place}/pid`), 'was not waited for');
  for (let waited = 0; waited < 200 && !existsSync(`${place}/pid`); waited += 1) await pause(25);
  t.ok(existsSync(`${place}/pid`));
});

t.test('nice', { skip: linux }, async (t) => {
  t.match(await shell('nice', { nice: 19 }), { stdout: '19\n' });
  t.match(await shell('nice', { nice: 0 }), { exitCode: 0 });
});

t.test('no zombie is left', { skip: linux }, async (t) => {
  const { stdout } = await shell('echo $$');
  await pause(20);
  t.notOk(existsSync(`/proc/${Number(stdout)}`));
});

t.test('no value reaches a shell: arguments arrive as they are', async () => {
  const hostile = fc.string({
    unit: fc.constantFrom('$', '`', "'", '"', ';', '\n', '*', ' ', '\\', '-', 'a'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(hostile, { maxLength: 4 }), async (values) => {
      const { stdout } = await run(['printf', '%s|', ...values, 'end']);
      const expected = `${[...values, 'end'].join('|')}|`;
      if (stdout !== expected) throw new Error(`${JSON.stringify(stdout)} is not as given`);
    }),
    { numRuns: 60 },
  );
});
