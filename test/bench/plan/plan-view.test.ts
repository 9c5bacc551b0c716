import t from 'tap';
import type { Measured } from '../../../bench/plan/measure.ts';
import { planReport } from '../../../bench/plan/plan.ts';
import { planView } from '../../../bench/plan/plan-view.ts';
import { viewHtml } from '../../../bench/present/html.ts';
import { viewMarkdown } from '../../../bench/present/markdown.ts';
import { viewText } from '../../../bench/present/text.ts';
import type { Provenance } from '../../../bench/run/provenance.ts';

const point = {
  ...{ what: 'all envoys', held_out: false, seconds: 10, connections: 1000 },
  ...{ checkins_per_second: 1000, reports_per_second: 0, missed: 0, server_cores: 0.22 },
  ...{ rss_kb: 380_000, other_cores: 0, generator_utilization: 0.3 },
};
const measured: Measured = {
  verify_us: 40,
  points: [point, { ...point, what: 'held out', held_out: true }],
  readings: [{ connections: 0, rss_kb: 300_000 }],
  model: {
    ...{ base_cores: 0.02, cpu_us_per_checkin: 200, cpu_us_per_report: 1000 },
    ...{ writer_us_per_report: 500, cpu_us_per_handshake: 3000 },
    ...{ base_kb: 300_000, kb_per_envoy: 80, disk_bytes_per_report: 1000 },
  },
  error: { cpu: 0.04, memory: -0.02 },
};
const limits = { cores: 2, memory_kb: 16 * 2 ** 20, open_files: 20_000, disk_bytes: 100e9 };
const about: Provenance = {
  measured_at: '2026-11-23T10:00:00Z',
  vigo: { version: '0.1.0', commit: '3f2a1bc-dirty' },
  machine: { cpu: 'A chip', cores: 2, memory_gb: 16, system: 'Linux 6.1 x64', node: 'v22.0.0' },
};
const options = { envoys: 5000, interval_s: 15, changed: 0.01, seconds: 120 };

t.test(
  'a plan says whether the fleet fits, what binds first and how far off it may be',
  async (t) => {
    const report = planReport(options, measured, limits, about);
    t.match(report.answer, { fits: true, binds_first: 'files', carries_envoys: 19_700 });
    const view = planView(report);
    t.same(view.warnings, []);
    for (const text of [viewText(view), viewMarkdown(view), viewHtml(view)]) {
      for (const word of [
        'Yes: 5000 envoys at 15 s',
        '19700',
        '+4 %',
        '-2 %',
        'ulimit -n 5300',
        '3f2a1bc-dirty',
        'A chip',
      ]) {
        t.ok(text.includes(word), word);
      }
    }
  },
);

t.test('a plan for too large a fleet names the hardware instead', async (t) => {
  const report = planReport({ ...options, envoys: 200_000 }, measured, limits, about);
  t.equal(report.answer.fits, false);
  t.match(planView(report).verdict, { good: false, text: /^No: 200000 envoys/ });
  t.match(report.answer.hardware, { open_files: 200_300, cores: 8, memory_gb: 32 });
});

t.test('a plan from a busy machine, or with a bad model, is not to be believed', async (t) => {
  const doubtful = { ...point, other_cores: 1.2, generator_utilization: 0.9 };
  const report = planReport(
    options,
    { ...measured, points: [doubtful], error: { cpu: -0.4, memory: 0 } },
    limits,
    about,
  );
  t.match(planView(report).warnings.join('\n'), /1\.2 cores busy.*\n.*90 %.*\n.*-40 %/);
});
