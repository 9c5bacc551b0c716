import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { npmType } from '../../../../agent/executors/languages/npm.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { makeNodePackages, serveIndex } from '../../../support/language-index.ts';
import { proveRealStep, type RealStep, realToolsBelow } from '../../../support/real-tools.ts';
import { requires } from '../../../support/requires.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const global = '/usr/local/lib/node_modules/@lab/hello';
const local = '/srv/app/node_modules/@lab/hello';
const manifest = (version: string) => JSON.stringify({ name: '@lab/hello', version });
const having = (files: Record<string, string>) => (root: string) => arrange(root, files);
const npm: SimulatedTool = (words, root) => {
  if (words[0] === 'view') return { stdout: '"2.0.0"\n' };
  const last = words.at(-1)!;
  if (last.startsWith('ghost'))
    return { exitCode: 1, stderr: 'npm error code E404\nnpm error 404' };
  if (words.includes('--registry')) return { exitCode: 1, stderr: 'npm error code ECONNREFUSED' };
  const prefix = words[words.indexOf('--prefix') + 1]!;
  const library = words.includes('--global') ? `${prefix}/lib` : prefix;
  const place = `${library.slice(root.length)}/node_modules/@lab/hello`;
  rmSync(root + place, { recursive: true, force: true });
  const version = last.split('@')[2];
  if (words[0] === 'install')
    arrange(root, {
      [`${place}/package.json`]: manifest(version === 'latest' ? '2.0.0' : version!),
    });
  return undefined;
};
const hello = { package: '@lab/hello', version: '1.0.0' };
const is =
  (version: string, place = global) =>
  (root: string, t: Test) =>
    t.equal(JSON.parse(readFileSync(`${root}${place}/package.json`, 'utf8')).version, version);

const rows: readonly ExecutorCase[] = [
  { name: 'from nothing', parameters: hello, action: 'created', check: is('1.0.0') },
  {
    name: 'as declared',
    parameters: { ...hello, global: true },
    arrange: having({ [`${global}/package.json`]: manifest('1.0.0') }),
    action: 'none',
  },
  {
    name: 'another version',
    parameters: hello,
    arrange: having({ [`${global}/package.json`]: manifest('0.9.0') }),
    action: 'updated',
    reason: /is 0.9.0, not 1.0.0/,
    check: is('1.0.0'),
  },
  {
    name: 'a package without its package.json',
    parameters: hello,
    arrange: having({ [`${global}/index.js`]: '' }),
    action: 'updated',
    reason: /interrupted/,
    check: is('1.0.0'),
  },
  {
    name: 'a package.json that is no JSON',
    parameters: hello,
    arrange: having({ [`${global}/package.json`]: '{' }),
    action: 'updated',
    check: is('1.0.0'),
  },
  {
    name: 'the newest',
    parameters: { package: '@lab/hello', state: 'latest' },
    arrange: having({ [`${global}/package.json`]: manifest('1.0.0') }),
    action: 'updated',
    check: is('2.0.0'),
  },
  {
    name: 'in a project',
    parameters: { ...hello, path: '/srv/app' },
    arrange: having({ '/srv/app/package.json': '{}' }),
    action: 'created',
    check: is('1.0.0', local),
  },
  {
    name: 'in a project that is not there',
    parameters: { ...hello, path: '/srv/app' },
    action: 'failed',
    errorCode: 'AGENT_PATH_MISSING',
  },
  {
    name: 'absent',
    parameters: { package: '@lab/hello', state: 'absent' },
    arrange: having({ [`${global}/package.json`]: manifest('1.0.0') }),
    action: 'deleted',
    check: (root, t) => t.notOk(existsSync(root + global)),
  },
  { name: 'absent already', parameters: { ...hello, state: 'absent' }, action: 'none' },
  {
    name: 'no such package',
    parameters: { package: 'ghost' },
    predicted: 'created',
    action: 'failed',
    errorCode: 'AGENT_PACKAGE_UNKNOWN',
  },
  {
    name: 'a registry that does not answer',
    parameters: { ...hello, source: 'http://127.0.0.1:9' },
    predicted: 'created',
    action: 'blocked',
    errorCode: 'AGENT_INDEX_UNREACHABLE',
  },
  ...refusedCases(hello, [
    { package: '--force' },
    { package: '../x' },
    { package: 'a b' },
    { package: 'a@1' },
    { version: '^1.0' },
    { global: false },
    { path: '/srv', global: true },
    { path: 'srv' },
  ]),
];

t.test('a Node.js package is what is declared', (t) =>
  proveExecutor(t, npmType, rows, {
    platform: simulatedMachine({ npm }),
    interrupted: 'first-of-each-action',
  }),
);

t.test('with the real npm', { skip: requires('command:/usr/bin/npm') }, async (t) => {
  const root = t.testdir({});
  const directory = join(root, 'index');
  mkdirSync(directory);
  const index = await serveIndex(directory);
  t.teardown(() => index.close());
  makeNodePackages(directory, index.url, ['1.0.0', '1.1.0']);
  const environment = {
    HOME: root,
    npm_config_cache: join(root, 'cache'),
    npm_config_fetch_retries: '0',
  };
  const machine = { root, platform: realToolsBelow(root, environment) };
  const step = (more: Record<string, string>, expected: Omit<RealStep, 'parameters'>) =>
    proveRealStep(t, npmType, machine, {
      parameters: { package: 'lab-hello', prefix: '/usr', source: index.url, ...more },
      ...expected,
    });
  const place = 'usr/lib/node_modules/lab-hello';
  await step({ version: '1.0.0' }, { action: 'created' });
  rmSync(join(root, place, 'package.json'));
  await step({ version: '1.1.0' }, { action: 'updated', reason: /interrupted/ });
  t.match(readFileSync(join(root, place, 'index.js'), 'utf8'), /1\.1\.0/);
  await step({ state: 'absent' }, { action: 'deleted' });
  t.notOk(existsSync(join(root, place)));
  mkdirSync(join(root, 'app'));
  const project = { path: '/app', prefix: '' };
  await step({ ...project, version: '1.1.0' }, { action: 'created' });
  t.ok(existsSync(join(root, 'app/node_modules/lab-hello/index.js')));
  await step(
    { source: 'http://127.0.0.1:9' },
    { predicted: 'created', action: 'blocked', errorCode: 'AGENT_INDEX_UNREACHABLE' },
  );
  await step(
    { package: 'lab-ghost' },
    { predicted: 'created', action: 'failed', errorCode: 'AGENT_PACKAGE_UNKNOWN' },
  );
});
