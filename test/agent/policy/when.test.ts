import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { formatWhen, type WhenNode } from '../../../agent/policy/when/ast.ts';
import { whenBuiltins } from '../../../agent/policy/when/builtins.ts';
import type { WhenEnvironment } from '../../../agent/policy/when/environment.ts';
import { parseWhen } from '../../../agent/policy/when/when.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { fc } from '../../support/property.ts';

const traits: Record<string, PolicyValue> = {
  'os.family': 'rhel',
  'os.distro': 'rocky',
  'os.arch': 'x86_64',
  'os.version': '9.10',
  'hardware.memory_mb': 2048,
  'network.ip_addresses': ['10.0.0.1', '10.0.0.2'],
  'virtual.is_container': false,
  'virtual.is_virtual': true,
};

function environment(asked: string[] = []): WhenEnvironment {
  const answer = (question: string, value: boolean) => {
    asked.push(question);
    return Promise.resolve(value);
  };
  return {
    trait: (path) => traits[path],
    triggered: true,
    localTime: () => ({ hour: 23, minute: 30, dayOfWeek: 1, dayOfMonth: 15 }),
    fileExists: (path) => answer(`file ${path}`, path === '/yes'),
    directoryExists: (path) => answer(`directory ${path}`, path === '/yes'),
    processRunning: (name) => answer(`process ${name}`, name === 'yes'),
    commandSucceeds: (command) => answer(`command ${command}`, command === 'true'),
  };
}

t.test('each builtin answers from the machine it is asked about', async (t) => {
  const cases: [string, boolean][] = [
    ["file_exists('/yes')", true],
    ["file_exists('/no')", false],
    ["dir_exists('/yes')", true],
    ["process_running('yes')", true],
    ["command_succeeds('false')", false],
    ["hour_range('22','6')", true],
    ["hour_range('9','17')", false],
    ["minute_range('30','31')", true],
    ["minute_range('0','30')", false],
    ["day_of_week('Monday')", true],
    ["day_of_month('15')", true],
    ["os_family('redhat')", true],
    ["os_family('RHEL')", true],
    ["os_family('debian')", false],
    ["distro('Rocky')", true],
    ["arch('amd64')", true],
    ["version_ge('9.9')", true],
    ["version_ge('10')", false],
    ['is_container', false],
    ['is_virtual', true],
    ['has_enough_ram', true],
    ["has_enough_ram('4096')", false],
    ['changed', true],
    ["trait('network.ip_addresses', '10.0.0.2')", true],
    ["trait('os.distro', 'debian')", false],
    ["trait('os.absent')", false],
    ["!changed || os_family('debian') && distro('rocky')", false],
    ["(!changed || os_family('redhat')) && distro('rocky')", true],
  ];
  for (const [text, expected] of cases) {
    t.equal(await parseWhen(text).evaluate(environment()), expected, text);
  }
});

t.test('a condition stops asking as soon as the answer is known', async (t) => {
  const asked: string[] = [];
  await parseWhen("changed || command_succeeds('true')").evaluate(environment(asked));
  await parseWhen("!changed && command_succeeds('true')").evaluate(environment(asked));
  t.same(asked, []);
});

t.test('a mistake is named with its place and the closest function', (t) => {
  const cases: [string, string, number, RegExp][] = [
    ["os_famly('debian')", 'POLICY_WHEN_SYNTAX', 0, /did you mean os_family/],
    ["changed && os_family('a','b')", 'POLICY_WHEN_SYNTAX', 11, /takes 1 arguments, got 2/],
    ["hour_range('9','25')", 'POLICY_WHEN_SYNTAX', 15, /0 to 24/],
    ["file_exists('etc')", 'POLICY_WHEN_SYNTAX', 12, /absolute/],
    ['changed changed', 'POLICY_WHEN_SYNTAX', 8, /expected && or/],
    ['changed &', 'POLICY_WHEN_SYNTAX', 8, /write &&/],
    ['os_family("debian")', 'POLICY_WHEN_SYNTAX', 10, /single quotes/],
    ["os_family('debian", 'POLICY_WHEN_SYNTAX', 10, /not closed/],
    ['', 'POLICY_WHEN_SYNTAX', 0, /got the end/],
    ['__proto__', 'POLICY_WHEN_SYNTAX', 0, /unknown function/],
    [`${'('.repeat(40)}changed`, 'POLICY_WHEN_LIMIT', 33, /levels/],
    ['a'.repeat(5000), 'POLICY_WHEN_LIMIT', 4096, /characters/],
    [Array(9).fill("command_succeeds('x')").join('||'), 'POLICY_WHEN_COST', 8 * 23, /2000/],
  ];
  for (const [text, code, offset, message] of cases) {
    try {
      parseWhen(text);
      t.fail(`accepted ${text}`);
    } catch (error) {
      t.ok(error instanceof AgentError && error.code === code, `${code} for ${text.slice(0, 40)}`);
      t.equal((error as AgentError).details.offset, offset, (error as Error).message);
      t.match((error as Error).message, message);
    }
  }
  t.end();
});

t.test('publish knows which conditions wait for a trigger', (t) => {
  t.equal(parseWhen('changed').needsTrigger, true);
  t.equal(parseWhen("changed && os_family('debian')").needsTrigger, true);
  t.equal(parseWhen("changed || os_family('debian')").needsTrigger, false);
  t.equal(parseWhen('!changed').needsTrigger, false);
  t.end();
});

const words = fc.stringMatching(/^[a-z0-9 '\\&|()!,]{1,12}$/);
const call: fc.Arbitrary<WhenNode> = fc.oneof(
  fc.constantFrom<WhenNode>(
    { kind: 'call', name: 'changed', args: [], offset: 0 },
    { kind: 'call', name: 'is_container', args: [], offset: 0 },
  ),
  words.map((word): WhenNode => ({ kind: 'call', name: 'distro', args: [word], offset: 0 })),
);
const { node: anyCondition } = fc.letrec<{ node: WhenNode }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    call,
    tie('node').map((term): WhenNode => ({ kind: 'not', term })),
    fc
      .tuple(fc.constantFrom('or' as const, 'and' as const), tie('node'), tie('node'))
      .map(([kind, a, b]): WhenNode => ({ kind, terms: [a, b] })),
  ),
}));

function evaluatePlainly(node: WhenNode): boolean {
  switch (node.kind) {
    case 'not':
      return !evaluatePlainly(node.term);
    case 'or':
      return node.terms.some(evaluatePlainly);
    case 'and':
      return node.terms.every(evaluatePlainly);
    case 'compare':
      return false;
    case 'call':
      return node.name === 'changed' || (node.name === 'distro' && node.args[0] === 'rocky');
  }
}

t.test('what is written out means the same when read again', async () => {
  await fc.assert(
    fc.asyncProperty(anyCondition, async (node) => {
      const text = formatWhen(node);
      const parsed = parseWhen(text);
      const same = parsed.toString() === parseWhen(parsed.toString()).toString();
      return same && (await parsed.evaluate(environment())) === evaluatePlainly(node);
    }),
    { numRuns: 300 },
  );
});

t.test('no text makes the parser fail without a code', async () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('(', ')', '!', '&&', '||', "'", ',', ...whenBuiltins.keys()),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        parseWhen(pieces.join(''));
        return true;
      } catch (error) {
        return error instanceof AgentError && error.code.startsWith('POLICY_WHEN_');
      }
    }),
  );
});
