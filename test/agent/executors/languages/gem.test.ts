import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { gemType, gemVersion } from '../../../../agent/executors/languages/gem.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { makeGems, serveIndex } from '../../../support/language-index.ts';
import { proveRealStep, type RealStep, realToolsBelow } from '../../../support/real-tools.ts';
import { requires } from '../../../support/requires.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const specifications = '/var/lib/gems/3.1.0/specifications';
const having =
  (...versions: readonly string[]) =>
  (root: string) =>
    arrange(root, {
      '/usr/bin/gem': '',
      [`${specifications}/other-1.0.gemspec`]: '',
      ...Object.fromEntries(versions.map((one) => [`${specifications}/rack-${one}.gemspec`, ''])),
    });
const there = (root: string) =>
  readdirSync(root + specifications).filter((name) => name.startsWith('rack-'));
const gem: SimulatedTool = (words, root) => {
  const option = (name: string) =>
    words.includes(name) ? words[words.indexOf(name) + 1] : undefined;
  if (words[0] === 'list') return { stdout: '\n*** REMOTE GEMS ***\n\nrack (3.0.8 ruby java)\n' };
  if (words.at(-1) === 'ghost')
    return {
      exitCode: 2,
      stderr: "ERROR:  Could not find a valid gem 'ghost' (>= 0) in any repository",
    };
  if (words.includes('--source'))
    return {
      exitCode: 2,
      stderr:
        "ERROR:  Could not find a valid gem 'rack' (>= 0), here is why:\n          Unable to download data from http://127.0.0.1:9/ - Errno::ECONNREFUSED",
    };
  const version = option('--version');
  if (words[0] === 'install')
    arrange(root, { [`${specifications}/rack-${version ?? '3.0.8'}.gemspec`]: '' });
  else
    for (const name of there(root))
      if (version === undefined || name === `rack-${version}.gemspec`)
        rmSync(`${root}${specifications}/${name}`);
  return undefined;
};
const rack = { package: 'rack', version: '2.0' };
const only =
  (...versions: readonly string[]) =>
  (root: string, t: Test) =>
    t.same(
      there(root),
      versions.map((one) => `rack-${one}.gemspec`),
    );

const rows: readonly ExecutorCase[] = [
  {
    name: 'from nothing',
    parameters: rack,
    arrange: having(),
    action: 'created',
    check: only('2.0'),
  },
  { name: 'as declared', parameters: rack, arrange: having('1.0', '2.0'), action: 'none' },
  {
    name: 'another version stays beside it',
    parameters: rack,
    arrange: having('1.0'),
    action: 'updated',
    check: only('1.0', '2.0'),
  },
  {
    name: 'the newest',
    parameters: { package: 'rack', state: 'latest' },
    arrange: having('2.0'),
    action: 'updated',
    reason: /is 2.0, not 3.0.8/,
    check: only('2.0', '3.0.8'),
  },
  {
    name: 'one version absent',
    parameters: { ...rack, state: 'absent' },
    arrange: having('1.0', '2.0'),
    action: 'deleted',
    check: only('1.0'),
  },
  {
    name: 'absent',
    parameters: { package: 'rack', state: 'absent' },
    arrange: having('1.0', '2.0'),
    action: 'deleted',
    check: only(),
  },
  { name: 'absent already', parameters: { package: 'rack', state: 'absent' }, action: 'none' },
  {
    name: 'no such gem',
    parameters: { package: 'ghost' },
    arrange: having(),
    predicted: 'created',
    action: 'failed',
    errorCode: 'AGENT_PACKAGE_UNKNOWN',
  },
  {
    name: 'an index that does not answer',
    parameters: { ...rack, source: 'http://127.0.0.1:9/' },
    arrange: having(),
    predicted: 'created',
    action: 'blocked',
    errorCode: 'AGENT_INDEX_UNREACHABLE',
  },
  {
    name: 'no gem on the machine',
    parameters: rack,
    action: 'blocked',
    errorCode: 'AGENT_COMMAND_MISSING',
  },
  ...refusedCases(rack, [
    { package: '--all' },
    { package: 'a b' },
    { version: '~> 1' },
    { install_dir: 'gems' },
    { state: 'latest' },
    { extra_args: ['a'] },
  ]),
];

t.test('a gem is what is declared', (t) =>
  proveExecutor(t, gemType, rows, {
    platform: simulatedMachine({ gem }),
    interrupted: 'first-of-each-action',
  }),
);

t.test('a gem is told from those whose name begins alike', async (t) => {
  t.equal(gemVersion('rack-2.0.gemspec', 'rack'), '2.0');
  t.equal(gemVersion('rack-test-2.0.gemspec', 'rack'), undefined);
  t.equal(gemVersion('nokogiri-1.15.4-x86_64-linux.gemspec', 'nokogiri'), '1.15.4');
});

t.test('with the real gem', { skip: requires('command:gem') }, async (t) => {
  const place = t.testdir({ root: {}, index: {} });
  const root = join(place, 'root');
  const directory = join(place, 'index');
  makeGems(directory, ['1.0', '1.1']);
  const index = await serveIndex(directory);
  t.teardown(() => index.close());
  // gem keeps what an index said.
  const home = join(directory, 'home');
  const machine = { root, platform: realToolsBelow(root, { HOME: home }) };
  arrange(root, { '/usr/bin/gem': '' });
  const step = (more: Record<string, string>, expected: Omit<RealStep, 'parameters'>) =>
    proveRealStep(t, gemType, machine, {
      parameters: { package: 'lab-hello', install_dir: '/gems', source: index.url, ...more },
      ...expected,
    });
  await step({ version: '1.0' }, { action: 'created' });
  await step({ state: 'latest' }, { action: 'updated', reason: /is 1.0, not 1.1/ });
  t.ok(existsSync(join(root, 'gems/gems/lab-hello-1.1/lib/lab_hello.rb')));
  await step({ state: 'absent' }, { action: 'deleted' });
  t.notOk(existsSync(join(root, 'gems/gems/lab-hello-1.1')));
  await step(
    { source: 'http://127.0.0.1:9/' },
    { predicted: 'created', action: 'blocked', errorCode: 'AGENT_INDEX_UNREACHABLE' },
  );
});
