import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sameVersion } from '../../../../agent/executors/languages/language-package.ts';
import { pipType, reportedVersion } from '../../../../agent/executors/languages/pip.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { makeWheels, serveIndex } from '../../../support/language-index.ts';
import { proveRealStep, realToolsBelow } from '../../../support/real-tools.ts';
import { requires } from '../../../support/requires.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const site = '/opt/venv/lib/python3.11/site-packages';
const info = (version: string, name = 'Lab_Hello') => `${site}/${name}-${version}.dist-info`;
const whole = (version: string) => ({
  '/opt/venv/bin/pip3': '',
  [`${info(version)}/RECORD`]: '',
});
const having = (files: Record<string, string>) => (root: string) => arrange(root, files);
const there = (root: string) =>
  existsSync(root + site) ? readdirSync(root + site).filter((name) => /hello/i.test(name)) : [];
const wipe = (root: string) => {
  for (const name of there(root)) rmSync(`${root}${site}/${name}`, { recursive: true });
};
const pip: SimulatedTool = (words, root) => {
  if (words.includes('--report'))
    return { stdout: JSON.stringify({ install: [{ metadata: { version: '2.0' } }] }) };
  const wanted = words.at(-1)!;
  if (wanted.startsWith('ghost'))
    return { exitCode: 1, stderr: 'ERROR: No matching distribution found for ghost' };
  if (words.includes('--index-url'))
    return {
      exitCode: 1,
      stderr: 'WARNING: Retrying: NewConnectionError\nERROR: No matching distribution found',
    };
  wipe(root);
  if (words[0] === 'install')
    arrange(root, { [`${info(wanted.split('==')[1] ?? '2.0', 'lab_hello')}/RECORD`]: '' });
  return undefined;
};
const python: SimulatedTool = (words, root) => {
  arrange(root, { '/opt/venv/bin/pip3': '', [`${site}/pip/x`]: '' });
  return words[1] === 'venv' ? undefined : { exitCode: 2 };
};
const hello = { package: 'lab-hello', virtualenv: '/opt/venv', version: '1.0' };
const only = (version: string) => (root: string, t: Test) =>
  t.same(
    there(root).map((name) => name.toLowerCase()),
    [`lab_hello-${version}.dist-info`],
  );

const rows: readonly ExecutorCase[] = [
  {
    name: 'from nothing, with its environment',
    parameters: hello,
    action: 'created',
    check: only('1.0'),
  },
  { name: 'as declared', parameters: hello, arrange: having(whole('1.0')), action: 'none' },
  {
    name: 'another version',
    parameters: hello,
    arrange: having(whole('0.9')),
    action: 'updated',
    reason: /is 0.9, not 1.0/,
    check: only('1.0'),
  },
  {
    name: 'an installation that did not come to its end',
    parameters: hello,
    arrange: having({ '/opt/venv/bin/pip3': '', [`${info('1.0')}/METADATA`]: '' }),
    action: 'updated',
    reason: /interrupted/,
    check: only('1.0'),
  },
  {
    name: 'any version will do',
    parameters: { ...hello, version: '', package: 'Lab.Hello[extra]' },
    arrange: having(whole('0.9')),
    action: 'none',
  },
  {
    name: 'the newest',
    parameters: { ...hello, version: '', state: 'latest' },
    arrange: having(whole('1.0')),
    action: 'updated',
    check: only('2.0'),
  },
  {
    name: 'absent',
    parameters: { ...hello, version: '', state: 'absent' },
    arrange: having(whole('1.0')),
    action: 'deleted',
    check: (root, t) => t.same(there(root), []),
  },
  {
    name: 'absent already',
    parameters: { ...hello, state: 'absent' },
    arrange: having(whole('2.0')),
    action: 'none',
  },
  {
    name: 'no such package',
    parameters: { ...hello, package: 'ghost' },
    arrange: having(whole('1.0')),
    predicted: 'created',
    action: 'failed',
    errorCode: 'AGENT_PACKAGE_UNKNOWN',
  },
  {
    name: 'an index that does not answer',
    parameters: { ...hello, source: 'http://127.0.0.1:9/simple' },
    arrange: having(whole('0.9')),
    predicted: 'updated',
    action: 'blocked',
    errorCode: 'AGENT_INDEX_UNREACHABLE',
  },
  {
    name: 'no pip on the machine',
    parameters: { package: 'x' },
    action: 'blocked',
    errorCode: 'AGENT_COMMAND_MISSING',
  },
  ...refusedCases(hello, [
    { package: '-r' },
    { package: 'a b' },
    { package: 'a;b' },
    { version: '>=1' },
    { virtualenv: 'venv' },
    { pip_cmd: '/usr/bin/pip' },
    { state: 'latest' },
    { extra_args: ['x'] },
    { source: 'index' },
  ]),
];

t.test('a Python package is what is declared', (t) =>
  proveExecutor(t, pipType, rows, {
    platform: simulatedMachine({ '/opt/venv/bin/pip3': pip, python3: python }),
    interrupted: 'first-of-each-action',
  }),
);

t.test('the Python of the system is looked at where its pip is', async (t) => {
  const root = t.testdir({});
  arrange(root, {
    '/usr/bin/pip3': '#!/usr/bin/python3\n',
    '/usr/bin/python3': '',
    '/usr/lib/python3.11/x': '',
    '/usr/local/lib/python3.11/dist-packages/lab_hello-1.1.dist-info/RECORD': '',
    '/usr/lib/python3/dist-packages/lab_hello-1.0.egg-info': '',
    '/usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA': '',
  });
  const platform = simulatedMachine({})(root);
  const context = {
    platform,
    signal: new AbortController().signal,
    triggered: false,
    snapshot: async () => {},
  };
  const versions = async (parameters: Record<string, string>) =>
    (await pipType.observe(pipType.parse(parameters), context)).versions;
  t.same(await versions({ package: 'lab-hello' }), ['1.1'], 'what pip installed hides the rest');
  t.same(await versions({ package: 'pyyaml' }), ['6.0'], 'packages of the distribution count');
});

t.test('versions that pip takes for the same are the same', async (t) => {
  t.ok(sameVersion('1.0', '1.0.0'));
  t.ok(sameVersion('1.0RC1', '1.0rc1'));
  t.notOk(sameVersion('1.0', '1.0.1'));
  t.notOk(sameVersion('10', '1'));
  t.equal(reportedVersion('garbage'), undefined);
});

t.test('with the real pip', { skip: requires('command:/usr/bin/python3') }, async (t) => {
  const root = t.testdir({});
  const directory = join(root, 'index');
  mkdirSync(directory);
  makeWheels(directory, ['1.0', '1.1']);
  const index = await serveIndex(directory);
  t.teardown(() => index.close());
  const machine = {
    root,
    platform: realToolsBelow(root, { HOME: root, PIP_NO_CACHE_DIR: '1', PIP_RETRIES: '1' }),
  };
  const step = (
    more: Record<string, string>,
    expected: Omit<Parameters<typeof proveRealStep>[3], 'parameters'>,
  ) =>
    proveRealStep(t, pipType, machine, {
      parameters: { package: 'lab-hello', virtualenv: '/venv', source: index.url, ...more },
      ...expected,
    });
  await step({ version: '1.0' }, { action: 'created' });
  const run = (words: readonly string[]) =>
    execFileSync(join(root, 'venv/bin/python3'), words, { encoding: 'utf8' }).trim();
  const version = ['-c', 'import lab_hello; print(lab_hello.version)'];
  t.equal(run(version), '1.0');
  await step({ state: 'latest' }, { action: 'updated', reason: /is 1.0, not 1.1/ });
  t.equal(run(version), '1.1');
  const record = 'venv/lib/python3.11/site-packages/lab_hello-1.1.dist-info/RECORD';
  rmSync(join(root, record.replace('python3.11', readdirSync(join(root, 'venv/lib'))[0]!)));
  await step({}, { action: 'updated', reason: /interrupted/ });
  await step({ state: 'absent' }, { action: 'deleted' });
  await step(
    { source: 'http://127.0.0.1:9/' },
    { predicted: 'created', action: 'blocked', errorCode: 'AGENT_INDEX_UNREACHABLE' },
  );
  await step(
    { package: 'lab-ghost' },
    { predicted: 'created', action: 'failed', errorCode: 'AGENT_PACKAGE_UNKNOWN' },
  );
});
