import t from 'tap';
import { parseArguments } from '../../../agent/commands/arguments.ts';
import { commandSpecs } from '../../../agent/commands/program.ts';
import {
  globalOptions,
  loadSettings,
  normalServer,
  parseConfig,
  parseInterval,
} from '../../../agent/commands/settings.ts';
import { MemoryFiles } from '../support/memory-files.ts';

const parse = (...argv: string[]) => parseArguments(argv, commandSpecs, globalOptions);
const usage = (message: RegExp) => ({ code: 'AGENT_USAGE', exitCode: 64, message });

t.test('options stand before or behind the command, in both spellings', async (t) => {
  const parsed = parse('--root=/srv', 'run', '--dry-run', '--interval', '5s');
  t.equal(parsed.command, 'run');
  t.same(
    [...parsed.options],
    [
      ['root', '/srv'],
      ['dry-run', 'true'],
      ['interval', '5s'],
    ],
  );
  t.same(parse('traits', 'os', '--', '--json').operands, ['os', '--json']);
  t.equal(parse('register', '-h').help, true);
  t.equal(parse().command, undefined);
});

t.test('a mistyped line says what was probably meant', async (t) => {
  t.throws(() => parse('deamon'), usage(/did you mean daemon/));
  t.throws(() => parse('run', '--dryrun'), usage(/did you mean --dry-run/));
  t.throws(() => parse('register', '--tokn', 'x'), usage(/did you mean --token/));
  t.throws(() => parse('run', '--token', 'x'), usage(/unknown option --token/));
  t.throws(() => parse('--token', 'x', 'run'), usage(/unknown option --token/));
  t.throws(() => parse('run', '--interval'), usage(/needs a value/));
  t.throws(() => parse('run', '--json=yes'), usage(/takes no value/));
  t.throws(() => parse('status', 'extra'), usage(/does not take extra/));
  t.throws(() => parse('run', '--constructor'), usage(/unknown option/));
  t.throws(() => parse(...Array.from({ length: 200 }, () => '--json')), usage(/too many/));
});

async function settings(argv: string[], config?: string) {
  const files = new MemoryFiles();
  if (config !== undefined) files.content.set('config', new TextEncoder().encode(config));
  return loadSettings(
    parse('run', ...argv).options,
    () => files,
    (path) => `${path}`,
  );
}

t.test('the command line wins over the configuration file, which wins over defaults', async (t) => {
  const config = '# comment\nserver = a.example\n interval=30s\nlog-level = warn\n';
  t.match(await settings([], config), {
    server: 'a.example:1530',
    intervalMs: 30_000,
    logLevel: 'warn',
    stateDirectory: '/var/lib/vigo',
    root: '/',
    dryRun: false,
  });
  t.match(await settings(['--interval', '2m', '--dry-run'], config), {
    intervalMs: 120_000,
    dryRun: true,
  });
});

t.test('a wrong configuration names its line', async (t) => {
  const invalid = (message: RegExp) => ({ code: 'AGENT_CONFIG_INVALID', message });
  t.throws(() => parseConfig('\nserver', '/c'), invalid(/\/c:2/));
  t.throws(() => parseConfig('intervall = 5s', '/c'), invalid(/did you mean interval/));
  await t.rejects(settings([], 'dry-run = perhaps'), invalid(/true or false/));
  await t.rejects(settings(['--log-level', 'loud']), usage(/loud/));
});

t.test('intervals and servers are read only when sensible', async (t) => {
  t.same(['500ms', '30', '1.5m', '1h'].map(parseInterval), [500, 30_000, 90_000, 3_600_000]);
  for (const bad of ['', 'x', '0', '-1s', '50ms', '25h', '5 s'])
    t.throws(() => parseInterval(bad), { code: 'AGENT_USAGE' }, bad);
  t.same(['h', 'h:1', '[::1]:2', '::1', '10.0.0.1'].map(normalServer), [
    'h:1530',
    'h:1',
    '[::1]:2',
    '[::1]:1530',
    '10.0.0.1:1530',
  ]);
  for (const bad of ['', 'h:', 'h:0', 'h:99999', 'http://h', 'a b'])
    t.throws(() => normalServer(bad), { code: 'AGENT_USAGE' }, bad);
});
