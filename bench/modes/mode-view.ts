import { reportFacts, warningsOf } from '../fleet/report-text.ts';
import { type Chart, type Fact, fact, type ReportView, type Section } from '../present/view.ts';
import { provenanceFacts } from '../run/provenance.ts';
import type { Sample } from '../run/sampler.ts';
import type { ModeReport, Reached } from './mode-report.ts';

/** More than this of the machine kept busy by others makes times worthless. */
const otherCoresMax = 0.25;
/** A slope over less tells of garbage collections. */
const soakLeastMs = 1_200_000;

/** What `--html`, `--markdown` and the terminal show of a run. */
export function modeView(report: ModeReport): ReportView {
  const { options, machine, checkins } = report;
  const interval = `${options.interval_ms / 1000} s`;
  const good = checkins.missed === 0 && (report.herd?.false_offline ?? 0) === 0;
  return {
    title: `vigobench ${report.mode}: ${options.envoys} envoys at ${interval}`,
    verdict: {
      good,
      text: good
        ? `${checkins.done} check-ins, none missed.`
        : `${checkins.missed} of ${checkins.done + checkins.missed} check-ins missed their deadline.`,
    },
    sections: [
      ...ownSections(report),
      { title: 'Check-ins', facts: reportFacts(report) },
      { title: 'This run', facts: provenanceFacts(report) },
    ],
    charts: chartsOf(report.samples),
    warnings: [
      ...warningsOf(report),
      ...(report.soak && report.options.duration_ms < soakLeastMs
        ? ['the slope of so short a soak is noise of the heap: give it an hour']
        : []),
      ...(report.other_cores > otherCoresMax
        ? [
            `other programs kept ${report.other_cores} of ${machine.cores} cores busy: only ratios within this run mean something`,
          ]
        : []),
    ],
  };
}

function ownSections(report: ModeReport): Section[] {
  const { herd, publish, query, burst, viewers, soak } = report;
  const sections: Section[] = [];
  if (herd) {
    sections.push({
      title: 'Restart under the fleet',
      facts: [
        fact('Server away', `${herd.down_s} s (${herd.how})`),
        fact('Envoys back', reachedText(herd.back), herd.back.envoys === herd.back.of),
        fact('False offline', `${herd.false_offline} alarms`, herd.false_offline === 0),
        fact(
          'Longest silence',
          `${herd.longest_silence_s} s; ${herd.silent_envoys} envoys had no answer for three intervals`,
        ),
        fact('Reconnects', `${herd.reconnects}, ${herd.resumed_sessions} with a resumed session`),
        fact('Refused', `${herd.refused_handshakes} handshakes, told to come back`),
        fact('Server CPU', `${herd.server_cpu_s_until_whole} s until the fleet was whole`),
      ],
    });
  }
  if (publish) {
    sections.push({
      title: `Policy version ${publish.version}`,
      facts: [
        fact('Request', `answered after ${publish.request_s} s`),
        fact('Taken', reachedText(publish.taken), publish.taken.envoys === publish.taken.of),
        fact('Known', `${reachedText(publish.told)}: the server has heard of it`),
      ],
    });
  }
  if (query) sections.push(querySection(query));
  if (burst) {
    sections.push({
      title: 'Reports at once',
      facts: [
        fact('Envoys', `${burst.envoys}`),
        fact('Durable', `all after ${burst.durable_s} s, ${burst.retries} retries`),
        fact('In the database', `after ${burst.in_database_s} s`),
      ],
    });
  }
  if (viewers) sections.push(viewersSection(viewers));
  if (soak) sections.push(soakSection(soak));
  return sections;
}

function querySection(query: NonNullable<ModeReport['query']>): Section {
  const { asked, answered, joined } = query;
  return {
    title: `A question to ${asked} envoys`,
    facts: [
      fact('Request', `answered after ${query.request_s} s`),
      fact('Answers', `durable: ${reachedText(answered)}`, answered.envoys === asked),
      fact(
        'In the database',
        `after ${query.in_database_s} s; the plan shows ${joined}`,
        joined === asked,
      ),
      fact(
        'Server CPU',
        `${query.server_cpu_us_per_answer} µs per answer, beside ${query.baseline_cores} cores for check-ins`,
      ),
    ],
  };
}

function viewersSection(viewers: NonNullable<ModeReport['viewers']>): Section {
  const compared: Fact[] =
    viewers.server_cpu_ratio === 0
      ? []
      : [
          fact('Check-in p99', `${viewers.latency_p99_ratio} x that without viewers`),
          fact('Server CPU', `${viewers.server_cpu_ratio} x that without viewers, per check-in`),
          fact('Cores added', String(viewers.server_cores_added)),
        ];
  return {
    title: `${viewers.viewers} ${viewers.kind === 'open' ? 'open dashboards' : 'people who leaf'}`,
    facts: [
      fact('Pages', `${viewers.requests} loaded, ${viewers.failed} failed`, viewers.failed === 0),
      fact('Read again', `${viewers.refreshes} times, ${viewers.unchanged} without anything new`),
      fact('Event streams', `${viewers.streams} open, ${viewers.stream_events} events`),
      ...compared,
    ],
    table: {
      columns: ['Page', 'p50 ms', 'p99 ms'],
      rows: Object.entries(viewers.pages).map(([path, { p50, p99 }]) => [
        path,
        String(p50),
        String(p99),
      ]),
    },
  };
}

function soakSection(soak: NonNullable<ModeReport['soak']>): Section {
  const slope = `${soak.rss_kb_per_hour} ± ${soak.rss_kb_per_hour_error} KB per hour`;
  return {
    title: 'Growth',
    facts: [fact('Server memory', `${slope}, after ${soak.warm_up_s} s of warm-up`)],
    table: {
      columns: ['What', 'KB', 'rows', 'because'],
      rows: soak.growth.map(({ what, kb, rows, because }) => [
        what,
        String(kb),
        rows === undefined ? '' : String(rows),
        because,
      ]),
    },
  };
}

export function reachedText(reached: Reached): string {
  const part = (name: string, seconds: number | undefined) =>
    seconds === undefined ? [] : [`${name} after ${seconds} s`];
  const parts = [
    ...part('50 %', reached.p50_s),
    ...part('99 %', reached.p99_s),
    ...part('all', reached.all_s),
  ];
  const missing = reached.of - reached.envoys;
  return [...parts, ...(missing > 0 ? [`${missing} of ${reached.of} missing`] : [])].join(', ');
}

function chartsOf(samples: readonly Sample[]): Chart[] {
  const line = (name: string, pick: (sample: Sample) => number) => ({
    name,
    points: samples.map((sample) => [sample.s, pick(sample)] as const),
  });
  const chart = (title: string, unit: string, ...lines: Chart['lines']): Chart => ({
    ...{ title, unit, xUnit: 's', lines },
  });
  if (samples.length < 2) return [];
  return [
    chart(
      'Load of the machine',
      'cores',
      line('server', (sample) => sample.server_cores),
      line('vigobench', (sample) => sample.generator_cores),
      line('other programs', (sample) => sample.other_cores),
    ),
    chart(
      'Check-ins',
      'per second',
      line('answered', (sample) => sample.checkins_per_second),
      line('missed', (sample) => sample.missed_per_second),
      line('reports', (sample) => sample.reports_per_second),
    ),
    chart(
      'Memory of the server',
      'MB',
      line('resident', (sample) => sample.rss_mb),
    ),
    chart(
      'Files',
      'MB',
      line('stores (LMDB)', (sample) => sample.lmdb_mb),
      line('database (SQLite)', (sample) => sample.sqlite_mb),
    ),
  ];
}
