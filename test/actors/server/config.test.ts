import t from 'tap';
import { ServerError } from '../../../actors/errors.ts';
import type { ServerConfig } from '../../../actors/server/config/config.ts';
import { formatDuration, parseDuration } from '../../../actors/server/config/duration.ts';
import {
  type ConfigOverride,
  overridesFromEnvironment,
  overridesFromFlags,
  parseConfig,
} from '../../../actors/server/config/load.ts';
import { sampleConfig } from '../../../actors/server/config/sample.ts';
import { configKeys } from '../../../actors/server/config/schema.ts';
import { fc } from '../../support/property.ts';

function parse(text: string, overrides: ConfigOverride[] = []): ServerConfig {
  return parseConfig(text, { file: 'server.yaml', home: '/home/vigo', overrides });
}

function refusal(text: string, overrides: ConfigOverride[] = []): ServerError {
  try {
    parse(text, overrides);
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

t.test('an empty file means the documented defaults', async (t) => {
  const config = parse('');
  t.equal(config.checkin.intervalMs, 300_000);
  t.equal(config.checkin.bundleMaxAgeMs, 86_400_000);
  t.same(config.server.grpcListen, { host: '', port: 1530 });
  t.equal(config.database.file, '/home/vigo/db/vigo.db');
});

t.test(
  'the sample is valid, says every key, and uncommented still means the defaults',
  async (t) => {
    const sample = sampleConfig();
    t.same(parse(sample), parse(''));
    for (const key of configKeys()) t.match(sample, `#${key.name}: `, key.path);
    t.same(parse(sample.replace(/^ {2}#(?! )/gm, '  ')), parse(''));
  },
);

t.test('a value that an owner sets is the value that the server uses', async (t) => {
  const config = parse(
    'checkin:\n  interval: 15s\n  bundle_max_age: 0\nserver:\n  tls_sans: [a.b]\n',
  );
  t.equal(config.checkin.intervalMs, 15_000);
  t.equal(config.checkin.bundleMaxAgeMs, 0);
  t.same(config.server.tlsSans, ['a.b']);
  t.same(parse('server: {grpc_listen: "[::1]:99"}').server.grpcListen, { host: '::1', port: 99 });
});

t.test('a misspelled key is named with its place and the right spelling', async (t) => {
  const error = refusal('checkin:\n  intervall: 15s\n');
  t.equal(error.code, 'CONFIG_UNKNOWN_KEY');
  t.match(error.message, 'server.yaml:2:3');
  t.match(error.message, 'did you mean "interval"?');
  t.match(refusal('chekin: {}').message, 'did you mean "checkin"?');
});

t.test('a bad value is named with its place and what was expected', async (t) => {
  const bad: [string, string, RegExp][] = [
    ['checkin:\n  interval: soon', 'server.yaml:2:13', /a duration such as/],
    ['checkin:\n  interval: 1ms', 'server.yaml:2:13', /at least 1s/],
    ['checkin:\n  interval: 15', 'server.yaml:2:13', /a duration such as/],
    ['log:\n  level: loud', 'server.yaml:2:10', /trace, debug/],
    ['runtime: {shards: many}', 'server.yaml:1:19', /a whole number from 0 to 128/],
    ['runtime: {shards: 1.5}', 'server.yaml:1:19', /a whole number/],
    ['server: {grpc_listen: ":99999"}', 'server.yaml:1:23', /host:port/],
    ['server: {tls_sans: {a: 1}}', 'server.yaml:1:20', /a list/],
    ['server: 5', 'server.yaml:1:9', /a map of keys/],
    ['- 1', 'server.yaml:1:1', /a map of sections/],
  ];
  for (const [text, place, expected] of bad) {
    const error = refusal(text);
    t.equal(error.code, 'CONFIG_INVALID_VALUE', text);
    t.match(error.message, place, text);
    t.match(error.message, expected, text);
  }
});

t.test('broken YAML and double keys are refused with their place', async (t) => {
  t.match(refusal('log:\n  level: [').message, /server\.yaml:\d+:\d+: /);
  t.equal(refusal('log: {}\nlog: {}').code, 'CONFIG_SYNTAX');
});

t.test('flags win over the environment, the environment over the file', async (t) => {
  const environment = overridesFromEnvironment({ VIGO_CHECKIN_INTERVAL: '20s', VIGO_OTHER: 'x' });
  const flags = overridesFromFlags(['checkin.interval=30s', 'runtime.shards=3']);
  t.equal(parse('checkin: {interval: 10s}', environment).checkin.intervalMs, 20_000);
  const config = parse('checkin: {interval: 10s}', [...environment, ...flags]);
  t.equal(config.checkin.intervalMs, 30_000);
  t.equal(config.runtime.shards, 3);
  t.match(refusal('', overridesFromFlags(['checkin.intervl=1'])).message, 'checkin.interval');
  t.match(refusal('', overridesFromFlags(['log.level=x'])).message, '--set');
});

t.test('whatever the text, the answer is settings or a coded error', async () => {
  const word = fc.constantFrom(
    'checkin',
    'interval',
    'log',
    ':',
    '\n',
    ' ',
    '[',
    '{',
    '&a',
    '*a',
    '5m',
    '-',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      try {
        parse(input);
        return true;
      } catch (error) {
        return error instanceof ServerError && error.code.startsWith('CONFIG_');
      }
    }),
    { numRuns: 500 },
  );
});

t.test('every duration is read back as what was written', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3_000_000_000_000 }), (milliseconds) => {
      return parseDuration(formatDuration(milliseconds)) === milliseconds;
    }),
  );
});
