import { spawnSync } from 'node:child_process';
import t from 'tap';
import { Exposition } from '../../../../admin/api/metrics/exposition.ts';
import { metricsText } from '../../../../admin/api/metrics/metrics.ts';
import { fc } from '../../../support/property.ts';
import { requires } from '../../../support/requires.ts';
import { sampleSources } from './sample-sources.ts';

let nowMs = 0;
const clock = { monotonicMs: () => nowMs };

function families(text: string): string[] {
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!);
}

t.test(
  "Prometheus' own linter has nothing to say of any family",
  { skip: requires('command:promtool') },
  async (t) => {
    const sources = sampleSources(clock);
    sources.meter.begin('GET')('/api/v1/status', 200);
    nowMs += 300;
    sources.meter.begin('POST')('/api/v1/tokens', 403, 'API_FORBIDDEN');
    const input = metricsText(sources);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    t.equal(`${stdout}${stderr}`, '');
    t.equal(status, 0);
    t.ok(families(input).length >= 50, `${families(input).length} families`);
  },
);

t.test('what is not known is left out instead of shown as 0', async (t) => {
  const sources = sampleSources(clock);
  const text = metricsText({
    ...sources,
    publish: undefined,
    rollout: undefined,
    status: { ...sources.status, sink: undefined, service: undefined, shards: [] },
    process: {
      openFiles: undefined,
      openFilesLimit: undefined,
      virtualBytes: undefined,
      diskFreeBytes: undefined,
    },
  });
  for (const name of ['vigo_sink_lag_seconds', 'vigo_publish_frozen', 'process_open_fds'])
    t.notMatch(text, new RegExp(`^${name}[ {]`, 'm'), name);
  t.match(text, /^vigo_shards 0$/m, 'a shard that does not answer is missed');
});

t.test('an answer is counted by its route, a refusal by its code', async (t) => {
  const sources = sampleSources(clock);
  const ended = sources.meter.begin('GET');
  t.match(metricsText(sources), /^vigo_api_requests_in_flight 1$/m);
  nowMs += 30;
  ended('/api/v1/envoys/{id}', 404, 'API_NOT_FOUND');
  const text = metricsText(sources);
  const labels = 'route="/api/v1/envoys/{id}",method="GET"';
  t.match(text, `vigo_api_requests_total{${labels},status="404"} 1\n`);
  t.match(text, `vigo_api_request_duration_seconds_bucket{${labels},le="0.025"} 0\n`);
  t.match(text, `vigo_api_request_duration_seconds_bucket{${labels},le="0.1"} 1\n`);
  t.match(text, `vigo_api_request_duration_seconds_sum{${labels}} 0.03\n`);
  t.match(text, 'vigo_api_refusals_total{code="API_NOT_FOUND"} 1\n');
  t.match(text, /^vigo_api_requests_in_flight 0$/m);
});

/** Reads one sample as the format's grammar says. */
function readLabel(line: string): string | undefined {
  const escaped = /^m\{l="((?:[^"\\\n]|\\["\\n])*)"\} 1$/.exec(line)?.[1];
  return escaped?.replaceAll(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}

t.test('no label value can break the text', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const out = new Exposition();
      out.family('gauge', 'm', 'help\nwith \\ more', [[{ l: value }, 1]]);
      const lines = out.text().split('\n');
      return lines.length === 4 && readLabel(lines[2]!) === value;
    }),
  );
});
