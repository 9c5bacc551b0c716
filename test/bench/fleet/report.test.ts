import t from 'tap';
import { Value } from 'typebox/value';
import { mergeResults } from '../../../bench/fleet/generator.ts';
import { parseFleetOptions } from '../../../bench/fleet/options.ts';
import { buildReport, type Measurements } from '../../../bench/fleet/report.ts';
import { reportFacts, warningsOf } from '../../../bench/fleet/report-text.ts';
import type { ShardFigures } from '../../../bench/fleet/server-under-test.ts';
import { Tally } from '../../../bench/fleet/tally.ts';
import { provenance } from '../../../bench/run/provenance.ts';
import { reportSchema } from '../support/report-schema.ts';

const options = parseFleetOptions({
  envoys: '100',
  interval: '5s',
  duration: '10s',
  ramp: '0s',
  changed: '0',
  workers: '1',
});

function shard(thread: string, checkIns: number, sqlStatements = 0): ShardFigures {
  return { thread, checkIns, sqlStatements, sqlDriverLoaded: false, outboxEntries: 0 };
}

function measurements(change: Partial<Measurements> = {}, utilization = 0.3): Measurements {
  const tally = new Tally();
  tally.done = 200;
  tally.checkInLatencies.record(2000);
  const inWindow = tally.counts();
  const histograms = tally.histograms();
  const counts = { ...inWindow, done: 203, missed: 1, errors: { DEADLINE: 1 } };
  return {
    provenance: provenance(new Date('2026-11-23T10:00:00.5Z')),
    ramp: { durationMs: 1234.5, errors: {} },
    windowMs: 10_000,
    verifyUs: 40,
    serverCpuUs: 20_000,
    generatorCpuUs: 10_000,
    rssBeforeKb: 100_000,
    rssKb: 106_000,
    figuresBefore: { shards: [shard('fleet-0', 50), shard('fleet-1', 60)] },
    figuresAfter: { shards: [shard('fleet-0', 150), shard('fleet-1', 163)] },
    result: mergeResults([{ word: 'result', inWindow, counts, histograms, utilization }]),
    ...change,
  };
}

t.test('the report has every key that programs rely on, with the right arithmetic', async (t) => {
  const report = buildReport(options, measurements());
  t.same([...Value.Errors(reportSchema, JSON.parse(JSON.stringify(report)))], []);
  t.match(report.checkins, { done: 203, missed: 1, per_second: 20 });
  t.match(report.server, {
    cpu_us_per_checkin: 100,
    cpu_to_verify_ratio: 2.5,
    rss_kb_per_envoy: 60,
    checkins_served: 203,
    sql_statements_on_path: 0,
    sql_driver_loaded: false,
  });
  t.equal(report.generator.cpu_us_per_checkin, 50);
  t.same(report.errors, { DEADLINE: 1 });
});

t.test('SQL counts from the start of the window, also on a thread that was replaced', async (t) => {
  const figuresBefore = { shards: [shard('fleet-0', 50, 2), shard('fleet-1', 60, 5)] };
  const figuresAfter = { shards: [shard('fleet-0', 90, 3), shard('fleet-1', 10, 4)] };
  const { server } = buildReport(options, measurements({ figuresBefore, figuresAfter }));
  t.equal(server.sql_statements_on_path, 1 + 4);
  t.equal(server.checkins_served, 40 + 10);
});

t.test('a run without a single answer is a report, not a division by zero', async (t) => {
  const tally = new Tally();
  const counts = tally.counts();
  const histograms = tally.histograms();
  const result = mergeResults([
    { word: 'result', inWindow: counts, counts, histograms, utilization: 0 },
  ]);
  const report = buildReport(options, measurements({ result }));
  t.same([...Value.Errors(reportSchema, JSON.parse(JSON.stringify(report)))], []);
});

t.test('a reader is warned when the generator was too busy to be believed', async (t) => {
  const calm = buildReport(options, measurements());
  t.same(warningsOf(calm), []);
  t.equal(calm.generator.bottleneck, false);
  const busy = buildReport(options, measurements({}, 0.71));
  t.equal(busy.generator.bottleneck, true);
  t.match(warningsOf(busy).join(), /71 %/);
});

t.test('the text for people names every figure and each error', async (t) => {
  const text = textOf(measurements());
  for (const word of ['203 done', '100 µs per check-in', '2.5 ×', '60 KB', 'DEADLINE 1']) {
    t.ok(text.includes(word), word);
  }
  const figures = measurements();
  const [first] = figures.figuresAfter.shards;
  const loaded = { shards: [{ ...first, sqlDriverLoaded: true } as ShardFigures] };
  t.match(textOf({ ...figures, figuresAfter: loaded }), /a driver is loaded/);
});

function textOf(measured: Measurements): string {
  return reportFacts(buildReport(options, measured))
    .map(({ name, value }) => `${name} ${value}`)
    .join('\n');
}
