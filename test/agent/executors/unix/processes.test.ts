import {
  chmodSync,
  existsSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { customType } from '../../../../agent/executors/cross/custom.ts';
import { processType } from '../../../../agent/executors/unix/process.ts';
import { rebootType } from '../../../../agent/executors/unix/reboot.ts';
import { createNodePlatform } from '../../../../agent/platform/node-platform.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const stat = (pid: number, name: string, state = 'S') =>
  `${pid} (${name}) ${state} ${'0 '.repeat(18)}${1000 + pid} 0\n`;
const running =
  (...pids: readonly number[]) =>
  (root: string) => {
    mkdirSync(`${root}/proc/1`, { recursive: true });
    writeFileSync(`${root}/proc/1/stat`, stat(1, 'a) S (b'));
    writeFileSync(`${root}/proc/1/cmdline`, '');
    for (const pid of pids) start(root, pid);
  };
function start(root: string, pid: number): void {
  arrange(root, {
    [`/proc/${pid}/stat`]: stat(pid, 'worker'),
    [`/proc/${pid}/cmdline`]: '/usr/bin/worker\0--queue\0mail\0',
  });
}
const shell: SimulatedTool = (_words, root) => {
  start(root, 77);
  return undefined;
};
const left =
  (...pids: readonly number[]) =>
  (root: string, t: Test) => {
    for (const pid of [5, 6, 7, 77])
      t.equal(existsSync(`${root}/proc/${pid}`), pids.includes(pid), `process ${pid}`);
  };
const worker = { process: 'worker', restart_method: 'worker --detach' };

const processes: readonly ExecutorCase[] = [
  {
    name: 'none runs',
    parameters: worker,
    arrange: running(),
    action: 'updated',
    reason: /none run, at least 1 should/,
    check: left(77),
  },
  { name: 'one runs', parameters: worker, arrange: running(5), action: 'none', reason: /one runs/ },
  {
    name: 'nothing says how to start it',
    parameters: { process: 'worker' },
    arrange: running(),
    action: 'failed',
    errorCode: 'AGENT_PROCESS_NO_START',
  },
  {
    name: 'stopped',
    parameters: { process: 'worker', state: 'stopped' },
    arrange: running(5, 6),
    action: 'updated',
    reason: /2 run, none should/,
    check: left(),
  },
  {
    name: 'stopped already',
    parameters: { process: 'worker', state: 'stopped' },
    arrange: running(),
    action: 'none',
  },
  {
    name: 'too many: the oldest stay',
    parameters: { ...worker, count: 2 },
    arrange: running(5, 6, 7),
    action: 'updated',
    check: left(5, 6),
  },
  {
    name: 'too many, and nobody ends them',
    parameters: { ...worker, max: 1, kill_timeout: false },
    arrange: running(5, 6),
    action: 'failed',
    errorCode: 'AGENT_PROCESS_EXCESS',
  },
  {
    name: 'by the command line',
    parameters: { process: '--queue ma.l$', match_mode: 'pattern', state: 'stopped' },
    arrange: running(5),
    action: 'updated',
    check: left(),
  },
  {
    name: 'another command line',
    parameters: { process: '--queue x', match_mode: 'pattern', state: 'stopped' },
    arrange: running(5),
    action: 'none',
  },
  {
    name: 'the agent itself and zombies do not count',
    parameters: { process: 'worker', state: 'stopped' },
    arrange: (root) => {
      running(5, 6)(root);
      symlinkSync('5', `${root}/proc/self`);
      writeFileSync(`${root}/proc/6/stat`, stat(6, 'worker', 'Z'));
    },
    action: 'none',
  },
  ...refusedCases(worker, [
    { match_mode: 'pattern', process: '(' },
    { min: 3, max: 2 },
    { count: 1, min: 1 },
    { signal: 'STOP' },
    { restart_method: 'systemctl' },
  ]),
];

t.test('as many processes run as declared', (t) =>
  proveExecutor(t, processType, processes, {
    platform: simulatedMachine({ '/bin/sh': shell }),
    interrupted: 'first-of-each-action',
  }),
);

t.test('a guardrail sees whose processes would be ended', async (t) => {
  const targets = processType.targets(processType.parse({ process: 'vigo', state: 'stopped' }));
  t.same(targets, [{ kind: 'command', value: 'pkill -x vigo', effect: 'run' }]);
});

const scheduled = '/run/systemd/shutdown/scheduled';
const shutdown: SimulatedTool = (words, root) => {
  if (words[0] === '-c') rmSync(root + scheduled);
  else arrange(root, { [scheduled]: words.join(' ') });
  return undefined;
};
const sentinel = '/run/reboot-required';
const booted =
  (files: Record<string, string> = {}) =>
  (root: string) =>
    arrange(root, { '/run/systemd/system/x': '', '/proc/stat': 'cpu 1\nbtime 1000\n', ...files });
const due = { reboot_required_file: sentinel, delay_secs: 61 };

t.test('a reboot happens when it is due, once', (t) =>
  proveExecutor(
    t,
    rebootType,
    [
      {
        name: 'required',
        parameters: due,
        arrange: booted({ [sentinel]: '' }),
        action: 'updated',
        reason: /in 2 minutes, \/run\/reboot-required exists/,
        check: (root, t) => t.ok(existsSync(root + scheduled)),
      },
      { name: 'not required', parameters: due, arrange: booted(), action: 'none' },
      {
        name: 'scheduled already',
        parameters: due,
        arrange: booted({ [sentinel]: '', [scheduled]: '' }),
        action: 'none',
      },
      {
        name: 'a file from before the last boot starts no circle of reboots',
        parameters: due,
        arrange: (root) => {
          booted({ [sentinel]: '' })(root);
          utimesSync(root + sentinel, 900, 900);
        },
        action: 'none',
        reason: /older than the last boot/,
      },
      {
        name: 'gated by its condition only',
        parameters: {},
        arrange: booted(),
        action: 'updated',
        reason: /reboots in a minute/,
      },
      {
        name: 'cancelled',
        parameters: { state: 'absent' },
        arrange: booted({ [scheduled]: '' }),
        action: 'deleted',
        check: (root, t) => t.notOk(existsSync(root + scheduled)),
      },
      {
        name: 'nothing to cancel',
        parameters: { state: 'absent' },
        arrange: booted(),
        action: 'none',
      },
      {
        name: 'a message that is an option',
        parameters: { message: '-h now' },
        action: 'failed',
        errorCode: 'POLICY_PARAMETER_INVALID',
      },
    ],
    { platform: simulatedMachine({ shutdown }) },
  ),
);

const script = '/opt/script';
/** Answers as a script that keeps the file /state in order. */
const keeper: SimulatedTool = (_words, root, stdin) => {
  const { dry_run, params } = JSON.parse(stdin);
  const changed = !existsSync(`${root}/state`);
  if (changed && !dry_run) writeFileSync(`${root}/state`, JSON.stringify(params));
  return { stdout: JSON.stringify({ action: changed ? 'created' : 'none', changed, error: '' }) };
};
const answering = (result: ReturnType<SimulatedTool>) => (root: string) =>
  machineOf(root, () => result);
function machineOf(root: string, tool: SimulatedTool) {
  return simulatedMachine({ [`${root}${script}`]: tool })(root);
}
const owned = (root: string) => {
  arrange(root, { [script]: '' });
};

t.test('a script looks after its resource', (t) =>
  proveExecutor(
    t,
    customType,
    [
      {
        name: 'it changes something',
        parameters: { script, params: { a: [1, 'x'] } },
        arrange: owned,
        action: 'created',
        check: (root, t) => t.ok(existsSync(`${root}/state`)),
      },
      {
        name: 'nothing to change',
        parameters: { script },
        arrange: (root) => {
          owned(root);
          arrange(root, { '/state': '' });
        },
        action: 'none',
      },
      {
        name: 'no script',
        parameters: { script },
        action: 'failed',
        errorCode: 'AGENT_PATH_MISSING',
      },
      {
        name: 'a relative one',
        parameters: { script: 'opt/script' },
        action: 'failed',
        errorCode: 'POLICY_PARAMETER_INVALID',
      },
      {
        name: 'no such time',
        parameters: { script, timeout: '0' },
        action: 'failed',
        errorCode: 'POLICY_PARAMETER_INVALID',
      },
      {
        name: 'no map',
        parameters: { script, params: 'x' },
        action: 'failed',
        errorCode: 'POLICY_PARAMETER_INVALID',
      },
      {
        name: 'anybody can change it',
        parameters: { script },
        arrange: (root) => {
          mkdirSync(`${root}/opt`);
          writeFileSync(root + script, '');
          chmodSync(root + script, 0o666);
        },
        action: 'failed',
        errorCode: 'AGENT_SCRIPT_NOT_TRUSTED',
      },
    ],
    { platform: (root) => machineOf(root, keeper) },
  ),
);

const answers: readonly (readonly [string, ReturnType<SimulatedTool>, string, RegExp])[] = [
  ['garbage', { stdout: 'done!' }, 'AGENT_SCRIPT_ANSWER', /no JSON object/],
  ['nothing', {}, 'AGENT_SCRIPT_ANSWER', /no JSON object/],
  ['gigabytes', { stdout: '{', truncated: true }, 'AGENT_SCRIPT_ANSWER', /more than/],
  [
    'another action',
    { stdout: '{"action":"explode"}' },
    'AGENT_SCRIPT_ANSWER',
    /action is unknown/,
  ],
  ['an error', { stdout: '{"error":"no licence"}' }, 'AGENT_SCRIPT_FAILED', /no licence/],
  ['an exit code', { exitCode: 3, stderr: 'boom' }, 'AGENT_SCRIPT_FAILED', /exit code 3: boom/],
  ['a signal', { exitCode: -1, signal: 'SIGSEGV' }, 'AGENT_SCRIPT_FAILED', /SIGSEGV/],
  ['a hang', { exitCode: -1, timedOut: true }, 'AGENT_TIME_LIMIT', /300 s/],
];
for (const [what, result, errorCode, reason] of answers)
  t.test(`a script that answers with ${what} fails and says so`, (t) =>
    proveExecutor(
      t,
      customType,
      [{ name: what, parameters: { script }, arrange: owned, action: 'failed', errorCode, reason }],
      { platform: answering(result) },
    ),
  );

t.test('a real script that hangs, forks or floods is ended', async (t) => {
  const place = t.testdir({
    hang: '#!/bin/sh\nsleep 60 & sleep 60\n',
    flood: '#!/bin/sh\nyes | head -c 2000000\n',
    fine: '#!/bin/sh\ncat >/dev/null; sleep 60 & echo \'{"changed":true}\'\n',
  });
  const context = {
    platform: createNodePlatform(),
    signal: new AbortController().signal,
    triggered: false,
    snapshot: async () => {},
  };
  const ask = async (name: string, timeout = '20s') => {
    chmodSync(`${place}/${name}`, 0o755);
    const spec = customType.parse({ script: `${place}/${name}`, timeout });
    return customType.compare(spec, await customType.observe(spec, context), context);
  };
  await t.rejects(ask('hang', '1s'), { code: 'AGENT_TIME_LIMIT' });
  await t.rejects(ask('flood'), { code: 'AGENT_SCRIPT_ANSWER' });
  t.match(await ask('fine'), { action: 'updated' });
});
