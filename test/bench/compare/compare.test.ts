import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { compareReports, unlikeSettings } from '../../../bench/compare/compare.ts';
import { compareFiles, comparisonView } from '../../../bench/compare/compare-files.ts';
import { fc } from '../../support/property.ts';

const run = {
  mode: 'fleet',
  options: { envoys: 100, interval_ms: 5000 },
  machine: { cpu: 'x', cores: 2 },
  checkins: { done: 200, missed: 0, per_second: 20 },
  latency_ms: { p50: 1, p99: 10 },
  verify_us: 40,
  server: { cpu_to_verify_ratio: 3, rss_kb_per_envoy: 80, sql_statements_on_path: 0 },
  samples: [{ rss_mb: 1 }],
};

t.test('a figure is worse when it moves the wrong way by more than the noise', async (t) => {
  const slower = {
    ...run,
    checkins: { ...run.checkins, per_second: 10, missed: 3 },
    latency_ms: { p50: 1.05, p99: 5 },
    server: { ...run.server, cpu_to_verify_ratio: 4, sql_statements_on_path: 2 },
  };
  const verdicts = new Map(
    compareReports(run, slower, 0.1).map(({ name, verdict }) => [name, verdict]),
  );
  t.equal(verdicts.get('server.cpu_to_verify_ratio'), 'worse');
  t.equal(verdicts.get('server.sql_statements_on_path'), 'worse');
  t.equal(verdicts.get('checkins.per_second'), 'worse');
  t.equal(verdicts.get('checkins.missed'), 'worse');
  t.equal(verdicts.get('latency_ms.p99'), 'better');
  t.equal(verdicts.get('latency_ms.p50'), 'same');
  t.equal(verdicts.get('server.rss_kb_per_envoy'), 'same');
  t.notOk(verdicts.has('verify_us'), 'that is the machine, not the server');
  t.notOk([...verdicts.keys()].some((name) => name.startsWith('samples')));
});

t.test('a run is the same as itself, and what is worse one way is better the other', async () => {
  const figure = fc.double({ min: 0.001, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(figure, figure, (a, b) => {
      const [left, right] = [{ server: { x_us: a } }, { server: { x_us: b } }];
      const [there] = compareReports(left, right, 0.1);
      const [back] = compareReports(right, left, 0.1);
      const mirror = { worse: 'better', better: 'worse', same: 'same' } as const;
      const itself = compareReports(left, left, 0);
      return itself[0]?.verdict === 'same' && back?.verdict === mirror[there?.verdict ?? 'same'];
    }),
  );
});

t.test('runs with other settings are compared, and the reader is told', async (t) => {
  const other = { ...run, options: { envoys: 500, interval_ms: 5000 } };
  t.same(unlikeSettings(run, run), []);
  t.same(unlikeSettings(run, other), ['options.envoys: 100 and 500']);
});

t.test('files that are no reports are refused by name', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-compare-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const [good, bad] = [join(directory, 'good.json'), join(directory, 'bad.json')];
  writeFileSync(good, JSON.stringify(run));
  writeFileSync(bad, '[]');
  t.throws(() => compareFiles(good, bad, 0.1), { code: 'BENCH_FILE', message: /bad\.json/ });
  t.throws(() => compareFiles(join(directory, 'none'), good, 0.1), { code: 'BENCH_FILE' });
  const newer = join(directory, 'newer.json');
  const about = { measured_at: '2026-11-23T10:00:00Z', vigo: { version: '0.1.0', commit: 'abc' } };
  writeFileSync(newer, JSON.stringify({ ...run, ...about }));
  const view = comparisonView(compareFiles(good, newer, 0.1));
  t.match(view.verdict, { good: true, text: /^0 figures are worse/ });
  t.match(view.sections[0]?.facts, [
    { name: 'A', value: good },
    { name: 'B', value: `${newer}, Vigo 0.1.0 (abc), 2026-11-23T10:00:00Z` },
  ]);
});
