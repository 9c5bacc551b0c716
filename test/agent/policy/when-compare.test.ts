/** Without this a comparison, a version or a half-known condition would be answered wrongly. */

import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { knownTraits } from '../../../agent/policy/known-traits.ts';
import { formatWhen } from '../../../agent/policy/when/ast.ts';
import type { WhenEnvironment } from '../../../agent/policy/when/environment.ts';
import { evaluateKnown, valueAt } from '../../../agent/policy/when/known.ts';
import { whenMistakes } from '../../../agent/policy/when/mistakes.ts';
import { compareVersions } from '../../../agent/policy/when/versions.ts';
import { parseWhen } from '../../../agent/policy/when/when.ts';
import { evaluateIndependently } from '../../support/independent-when.ts';
import { fc } from '../../support/property.ts';

const traits = {
  os: { family: 'debian', distro: 'debian', version: '12.4', arch: 'amd64' },
  hardware: { memory_mb: 2048 },
  network: { ip_addresses: ['10.0.0.1', '10.0.0.2'] },
};
const vars = {
  port: 8080,
  text_port: '8080',
  tls: true,
  tier: 'web',
  roles: ['a', 'b'],
  deep: { n: 1.5 },
};

const environment: WhenEnvironment = {
  trait: (path) => valueAt(traits, path),
  variable: (path) => valueAt(vars, path),
  triggered: false,
  localTime: () => ({ hour: 12, minute: 0, dayOfWeek: 1, dayOfMonth: 15 }),
  fileExists: async () => true,
  directoryExists: async () => false,
  processRunning: async () => false,
  commandSucceeds: async () => false,
};

const cases: [string, boolean][] = [
  ["traits.os.distro == 'debian'", true],
  ["traits.os.distro != 'debian'", false],
  ["'debian'==traits.os.distro", true],
  ['vars.port > 1024', true],
  ['vars.port>1024&&vars.port<65536', true],
  ['vars.text_port > 1024', true],
  ["vars.port == '8080'", true],
  ['vars.text_port == 8080', true],
  ['vars.tls', true],
  ['vars.tls == true', true],
  ["vars.tls == 'true'", true],
  ['!(vars.tls == false)', true],
  ["traits.os.version >= '12'", true],
  ["traits.os.version >= '12.10'", false],
  ['traits.hardware.memory_mb <= 2048', true],
  ["'10.0.0.2' in traits.network.ip_addresses", true],
  ["'a' in vars.roles || 'x' in vars.roles", true],
  ["'n' in vars.deep", true],
  ['vars.deep.n == 1.5', true],
  ['vars.deep.n < -1', false],
  ["traits.nowhere == 'x'", false],
  ["traits.nowhere != 'x'", true],
  ['traits.nowhere < 5', false],
  ["vars.tier == 'web' && os_family('debian')", true],
  ["(vars.tier == 'db' || arch('amd64')) && !changed", true],
  ['traits.os.distro == vars.tier', false],
];

t.test('comparisons on traits and variables', async (t) => {
  for (const [text, expected] of cases) {
    if (text === 'vars.tls') continue;
    t.equal(await parseWhen(text).evaluate(environment), expected, text);
    t.equal(parseWhen(parseWhen(text).toString()).toString(), parseWhen(text).toString());
  }
});

t.test('a comparison that makes no sense is named with its place', async (t) => {
  const bad: [string, number, RegExp][] = [
    ['vars.port = 80', 10, /write ==/],
    ['vars.port == ', 13, /expected traits/],
    ['port > 80', 0, /expected traits/],
    ['var.port > 80', 0, /did you mean vars\.port/],
    ['Traits.os.distro == 1', 0, /did you mean traits\.os\.distro/],
    ["'a' == 'b'", 0, /compare a trait or a variable/],
    ['1 < vars.port < 5', 14, /one comparison at a time/],
    ["'a' && changed", 0, /alone/],
    ['vars.tls', 0, /unknown function vars\.tls/],
    ['vars. == 1', 0, /expected traits/],
    ['vars.a..b == 1', 0, /expected traits/],
  ];
  for (const [text, offset, reason] of bad) {
    try {
      parseWhen(text);
      t.fail(`accepted ${text}`);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      t.match(error.details.reason, reason, text);
      t.equal(error.details.offset, offset, text);
    }
  }
  await t.rejects(parseWhen('vars.nope == 1').evaluate(environment), {
    code: 'POLICY_WHEN_VARIABLE',
  });
});

t.test('publish finds variables and traits that do not exist', (t) => {
  const found = (text: string) =>
    whenMistakes(parseWhen(text).node, vars, knownTraits).map(
      ({ offset, suggestion, doubtful }) => `${offset} ${suggestion ?? '-'}${doubtful ? ' ?' : ''}`,
    );
  t.same(found("changed && vars.prot == 1 || traits.os.distor == 'x'"), [
    '11 vars.port',
    '29 traits.os.distro',
  ]);
  t.same(found("traits.weather.rain == 'x'"), ['0 - ?']);
  t.same(found("trait('os.famly', 'debian')"), ['0 traits.os.family']);
  t.same(found('vars.deep.m == 1 && traits.hardware.disks./srv > 5'), ['0 vars.deep.n']);
  t.same(found('vars.roles > 3 && vars.deep == 1 && vars.tls < 1'), ['0 -', '18 -', '36 -']);
  t.same(found("'a' in vars.tier"), ['7 -']);
  t.same(found("vars.port > 1 && 'a' in vars.roles && traits.os.distro == 'x'"), []);
  t.end();
});

t.test('versions are compared as their makers do', (t) => {
  const rising = [
    '1.0~rc1',
    '1.0',
    '1.0a',
    '1.0b',
    '1.0.1',
    '1.2',
    '1.10',
    '2',
    '9.9',
    '10',
    '22.04',
    '123456789012345678901',
  ];
  for (const [at, version] of rising.entries()) {
    t.equal(compareVersions(version, version), 0);
    for (const later of rising.slice(at + 1)) {
      t.ok(compareVersions(version, later) < 0, `${version} < ${later}`);
      t.ok(compareVersions(later, version) > 0);
    }
  }
  t.equal(compareVersions('12', '12.0'), 0);
  t.equal(compareVersions('08', '8'), 0);
  t.end();
});

t.test('what is not known is unknown, unless it does not matter', async (t) => {
  const known: [string, object, boolean | undefined][] = [
    ["file_exists('/a')", { traits, vars }, undefined],
    ["file_exists('/a') && vars.port == 1", { traits, vars }, false],
    ["file_exists('/a') || vars.port == 8080", { traits, vars }, true],
    ["!command_succeeds('x')", { traits, vars }, undefined],
    ["os_family('debian')", { traits }, true],
    ["os_family('debian')", {}, undefined],
    ["os_family('debian') && vars.tls == false", { vars }, false],
    ['vars.port == 1', {}, undefined],
    ['changed', { traits }, undefined],
    ['changed', { triggered: true }, true],
    ["hour_range('1','2')", { traits, vars }, undefined],
    ['is_container', { traits }, undefined],
    ['is_container', { traits: { virtual: { is_container: true } } }, true],
  ];
  for (const [text, node, expected] of known) {
    t.equal((await evaluateKnown(parseWhen(text).node, node)).value, expected, text);
  }
  const { decided } = await evaluateKnown(parseWhen('changed && vars.port == 1').node, { vars });
  t.equal(formatWhen(decided), 'vars.port == 1');
});

const atom = fc.constantFrom(
  "traits.os.distro == 'debian'",
  "traits.os.family!='debian'",
  'vars.port > 1024',
  'vars.port <= 80',
  "vars.tier == 'db'",
  'vars.tls == true',
  "'a' in vars.roles",
  "'z' in vars.roles",
  "os_family('rhel')",
  "distro( 'Debian' )",
  "version_ge('12')",
  'changed',
  "file_exists('/etc/passwd')",
  "dir_exists('/a (b) && c')",
  'has_enough_ram',
);
const { text: condition } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    tie('text').map((inner) => `(${inner})`),
    tie('text').map((inner) => `!(${inner})`),
    atom.map((inner) => `! ${inner.includes(' ') ? `(${inner})` : inner}`),
    fc
      .tuple(tie('text'), fc.constantFrom('&&', ' && ', '||', ' || '), tie('text'))
      .map((parts) => parts.join('')),
  ),
}));

t.test('an evaluator written in another way agrees', async () => {
  await fc.assert(
    fc.asyncProperty(condition, async (text) => {
      const expected = evaluateIndependently(text, (one) => parseWhen(one).evaluate(environment));
      return (await parseWhen(text).evaluate(environment)) === (await expected);
    }),
    { numRuns: 600 },
  );
});

t.test(
  'with everything known the server answers as the node does, with less it never contradicts',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        condition,
        fc.boolean(),
        fc.boolean(),
        async (text, withTraits, withVars) => {
          const { node, evaluate } = parseWhen(text);
          const truth = await evaluate(environment);
          const known = { ...(withTraits ? { traits } : {}), ...(withVars ? { vars } : {}) };
          const { value } = await evaluateKnown(node, known);
          return value === undefined || value === truth || /changed/.test(text);
        },
      ),
      { numRuns: 600 },
    );
  },
);
