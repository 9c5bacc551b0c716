import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { createPackageType, packageType } from '../../../../agent/executors/unix/package.ts';
import { aptFailure } from '../../../../agent/platform/packages/apt-failure.ts';
import { parsePolicy, parseSimulation } from '../../../../agent/platform/packages/apt-output.ts';
import { parseDpkgStatus } from '../../../../agent/platform/packages/dpkg-database.ts';
import type { RunRequest } from '../../../../agent/platform/platform.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const stanza = (name: string, version: string, status = 'install ok installed') =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: ${version}\n\n`;
const status = '/var/lib/dpkg/status';
const machine =
  (text = '') =>
  (root: string) =>
    arrange(root, {
      '/usr/bin/apt-get': '',
      [status]: stanza('base', '1') + text,
      '/var/lib/apt/lists/lab_Packages': '',
    });
const records = (root: string) => parseDpkgStatus(readFileSync(`${root}${status}`, 'utf8'));

/** Writes the database as apt would; 2.0 is the newest version of everything. */
const tools: Readonly<Record<string, SimulatedTool>> = {
  '/usr/bin/apt-get': (words, root) => {
    const names = words.slice(words.indexOf('--') + 1);
    const removes = words.includes('remove') || words.includes('purge');
    for (const word of names) {
      const [name, version = '2.0'] = word.split('=');
      replace(root, name!, removes ? '' : stanza(name!, version));
    }
    return undefined;
  },
  '/usr/bin/apt-cache': (words) => ({
    stdout: words
      .slice(2)
      .map((name) => `${name}:\n  Installed: 1\n  Candidate: 2.0\n`)
      .join(''),
  }),
  '/usr/bin/apt-mark': (words, root) => {
    const text = readFileSync(`${root}${status}`, 'utf8');
    const name = words.at(-1)!;
    const held = text.replace(
      `Package: ${name}\nStatus: install`,
      `Package: ${name}\nStatus: hold`,
    );
    writeFileSync(`${root}${status}`, held);
    return undefined;
  },
};

function replace(root: string, name: string, text: string): void {
  const stanzas = readFileSync(`${root}${status}`, 'utf8').split(/(?<=\n\n)/);
  const kept = stanzas.filter((one) => !one.startsWith(`Package: ${name}\n`));
  writeFileSync(`${root}${status}`, kept.join(''));
  appendFileSync(`${root}${status}`, text);
}

const has = (name: string, version: string | undefined) => (root: string, t: Test) =>
  t.equal(records(root).get(name)?.version, version);

const cases: readonly ExecutorCase[] = [
  {
    name: 'not installed',
    parameters: { package: 'web' },
    arrange: machine(),
    action: 'created',
    check: has('web', '2.0'),
  },
  {
    name: 'installed in whatever version',
    parameters: { package: 'web, base' },
    arrange: machine(stanza('web', '1.0')),
    action: 'none',
  },
  {
    name: 'not the newest',
    parameters: { package: 'web', state: 'latest' },
    arrange: machine(stanza('web', '1.0')),
    action: 'updated',
    reason: /web is 1.0, not 2.0/,
    check: has('web', '2.0'),
  },
  {
    name: 'one missing and one not the newest',
    parameters: { package: 'web,data', state: 'latest' },
    arrange: machine(stanza('web', '1.0')),
    action: 'created',
    check: (root, t) => {
      has('web', '2.0')(root, t);
      has('data', '2.0')(root, t);
    },
  },
  {
    name: 'not the version, and not held',
    parameters: { package: 'web', version: '1.5', lock_version: true },
    arrange: machine(stanza('web', '1.0')),
    action: 'updated',
    check: (root, t) => t.match(records(root).get('web'), { version: '1.5', held: true }),
  },
  {
    name: 'half installed by an interrupted pass',
    parameters: { package: 'web' },
    arrange: machine(stanza('web', '1.0', 'install reinstreq half-installed')),
    action: 'updated',
    reason: /interrupted/,
    check: (root, t) => t.match(records(root).get('web'), { status: 'installed' }),
  },
  {
    name: 'absent, but installed',
    parameters: { package: 'web', state: 'absent' },
    arrange: machine(stanza('web', '1.0')),
    action: 'deleted',
    check: has('web', undefined),
  },
  {
    name: 'absent, with configuration left over and no purge',
    parameters: { package: 'web', state: 'absent' },
    arrange: machine(stanza('web', '1.0', 'deinstall ok config-files')),
    action: 'none',
  },
  {
    name: 'no package manager',
    parameters: { package: 'web' },
    action: 'failed',
    errorCode: 'AGENT_PACKAGE_MANAGER_MISSING',
  },
];

t.test('packages are what is declared, whatever was there', (t) =>
  proveExecutor(t, packageType, cases, { platform: simulatedMachine(tools), backend: 'apt' }),
);

t.test('what is no package never reaches apt', (t) =>
  proveExecutor(
    t,
    packageType,
    refusedCases({ package: 'web' }, [
      { package: '' },
      { package: '-y' },
      { package: 'a b' },
      { package: '*' },
      { version: '1;2' },
      { lock_version: true },
      { flags: ['x'] },
      { timeout: 'soon' },
    ]),
    { platform: simulatedMachine(tools), backend: 'apt' },
  ),
);

t.test('a machine that is right already costs no process', async (t) => {
  const calls: RunRequest[] = [];
  const platform = simulatedMachine(tools, calls);
  await proveExecutor(t, createPackageType(), [cases[1]!], { platform, backend: 'apt' });
  t.same(calls, []);
});

t.test('the cause of a failure decides between blocked and failed', async (t) => {
  const causes = [
    [
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1',
      'LOCKED',
      'blocked',
    ],
    ['E: Unable to locate package webb', 'UNKNOWN', 'failed'],
    ["E: Version '9' for 'web' was not found", 'UNKNOWN', 'failed'],
    [
      'W: GPG error: http://x: NO_PUBKEY ABC\nE: The repository is not signed.',
      'REPOSITORY',
      'blocked',
    ],
    ['E: Failed to fetch http://x/a.deb  Could not resolve', 'REPOSITORY', 'blocked'],
    ['dpkg: error: x\nE: Sub-process /usr/bin/dpkg returned an error code (1)', 'FAILED', 'failed'],
  ] as const;
  for (const [stderr, code, outcome] of causes) {
    const error = aptFailure({ ...failed, stderr });
    t.match(error, { code: `AGENT_PACKAGE_${code}`, outcome }, stderr);
  }
  const full = aptFailure({
    ...failed,
    stderr: 'E: Write error - write (28: No space left on device)',
  });
  t.match(full, { code: 'AGENT_DISK_FULL', outcome: 'blocked' });
});
const failed = {
  exitCode: 100,
  signal: undefined,
  stdout: '',
  stderr: '',
  timedOut: false,
  truncated: false,
};

t.test('what apt prints is read', async (t) => {
  const policy =
    'N: x\nweb:\n  Installed: (none)\n  Candidate: 1:2.0-1\nno:\n  Candidate: (none)\n';
  t.same([...parsePolicy(policy)], [['web', '1:2.0-1']]);
  const simulation =
    'Inst web [1.0] (2.0 Debian:12/stable [amd64])\nInst new (3 X [all])\nConf web (2.0 X)\n';
  t.same(
    [...parseSimulation(simulation)],
    [
      ['web', '2.0'],
      ['new', '3'],
    ],
  );
});

t.test('the database of dpkg is read whatever is in it', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (noise) => {
      const text = `${stanza('a', '1')}${noise.replaceAll('\n\n', '\n')}\n\n${stanza('b', '2')}`;
      return parseDpkgStatus(text).get('b')?.version === '2';
    }),
  );
  const both = stanza('lib', '1').replace('amd64', 'i386') + stanza('lib', '1');
  t.same([...parseDpkgStatus(both).keys()], ['lib', 'lib:i386', 'lib:amd64']);
});

t.test('no declaration becomes an option of apt', async (t) => {
  const hostile = fc.oneof(
    fc.string(),
    fc.constantFrom('-o', '--', 'a b', 'a=1', '/etc/x.deb', 'a;b'),
  );
  fc.assert(
    fc.property(hostile, hostile, (name, version) => {
      try {
        const spec = packageType.parse({ package: [name], version });
        if (!/^[A-Za-z0-9][^\s=;]*$/.test(spec.names[0]!)) throw new Error(name);
        if (spec.version !== undefined && !/^[A-Za-z0-9]\S*$/.test(spec.version))
          throw new Error(version);
      } catch (error) {
        if ((error as { code?: string }).code !== 'POLICY_PARAMETER_INVALID') throw error;
      }
    }),
  );
  const bad: readonly Record<string, string | boolean>[] = [
    {},
    { package: '' },
    { package: '*' },
    { package: 'a,b', version: '1' },
    { package: 'a', state: 'latest', version: '1' },
    { package: 'a', lock_version: true },
    { package: 'a', flags: 'reboot' },
    { package: 'a', timeout: 'soon' },
    { package: 'a', timeout: '9h' },
  ];
  for (const parameters of bad)
    t.throws(() => packageType.parse(parameters), { code: 'POLICY_PARAMETER_INVALID' });
});
