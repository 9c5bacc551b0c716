import { type Chart, fact, type ReportView, type Section } from '../present/view.ts';
import { provenanceFacts } from '../run/provenance.ts';
import { type Model, needsOf, predict, type Resource, usable } from './model.ts';
import type { PlanReport } from './plan.ts';

/** More of the machine than this was busy with something else while it was measured. */
const otherCoresMax = 0.2;
const errorMax = 0.25;
const generatorBusyMax = 0.7;
const chartPoints = 24;

const names: Readonly<Record<Resource, string>> = {
  cpu: 'processor',
  memory: 'memory',
  files: 'open files (ulimit -n)',
  disk: 'disk',
  writer: 'the thread that writes the database',
};

export function planView(report: PlanReport): ReportView {
  const { options, answer } = report;
  const fleet = `${options.envoys} envoys at ${options.interval_s} s`;
  const headroom = `${answer.headroom.toFixed(answer.headroom < 10 ? 1 : 0)} x`;
  return {
    title: `Can this machine carry ${fleet}?`,
    verdict: {
      good: answer.fits,
      text: answer.fits
        ? `Yes: ${fleet}, ${percent(options.changed)} of check-ins with changes, fit ${headroom}. ` +
          `${capital(names[answer.binds_first])} binds first, at ${answer.carries_envoys} envoys.`
        : `No: ${fleet} need more ${names[answer.binds_first]} than there is; it carries ${answer.carries_envoys}.`,
    },
    sections: [
      needsSection(report),
      hardwareSection(report),
      tableSection(report),
      measuredSection(report),
      modelSection(report),
      { title: 'This run', facts: provenanceFacts(report) },
    ],
    charts: [cpuChart(report), memoryChart(report)],
    warnings: warningsOf(report),
  };
}

function needsSection({ answer, limits }: PlanReport): Section {
  const { needs, uses } = answer;
  const row = (resource: Resource, need: string, has: string) => [
    names[resource],
    need,
    has,
    percent(usable[resource]),
    percent(uses[resource]),
  ];
  return {
    title: 'What it needs (modelled)',
    table: {
      columns: ['Resource', 'needed', 'this machine', 'usable', 'used of that'],
      rows: [
        row('cpu', `${needs.cpu.toFixed(2)} cores`, `${limits.cores} cores`),
        row('memory', gigabytes(needs.memory), gigabytes(limits.memory_kb)),
        row('files', String(needs.files), String(limits.open_files)),
        row(
          'disk',
          `${(needs.disk / 1e9).toFixed(1)} GB`,
          `${(limits.disk_bytes / 1e9).toFixed(0)} GB`,
        ),
        row('writer', `${needs.writer.toFixed(2)} cores`, '1 thread'),
      ],
    },
    notes: [`After a restart the fleet is whole in about ${Math.round(answer.restart_s)} s.`],
  };
}

function hardwareSection({ answer: { hardware } }: PlanReport): Section {
  const beyond = 'more than one server has';
  return {
    title: 'What would carry it (modelled)',
    facts: [
      fact('Cores', hardware.cores === undefined ? beyond : `${hardware.cores}, like these`),
      fact('Memory', hardware.memory_gb === undefined ? beyond : `${hardware.memory_gb} GB`),
      fact('Open files', `ulimit -n ${hardware.open_files}`),
      fact('Disk', `${hardware.disk_gb} GB for 200 runs of each envoy, if each has that many`),
      ...(hardware.writer_keeps_up
        ? []
        : [fact('Reports', 'more than one thread can write: have fewer changes', false)]),
    ],
  };
}

function tableSection({ table }: PlanReport): Section {
  return {
    title: 'This machine at other intervals (modelled)',
    table: {
      columns: ['Interval', 'envoys', 'binds first'],
      rows: table.map(({ interval_s, carries_envoys, binds_first }) => [
        interval_s < 60 ? `${interval_s} s` : `${interval_s / 60} min`,
        String(carries_envoys),
        names[binds_first],
      ]),
    },
  };
}

function measuredSection({ measured, verify_us }: PlanReport): Section {
  return {
    title: 'What was measured',
    table: {
      columns: ['Point', 'envoys', 'check-ins/s', 'reports/s', 'cores', 'modelled', 'MB', 'missed'],
      rows: measured.points.map((point) => [
        point.what,
        String(point.connections),
        point.checkins_per_second.toFixed(0),
        point.reports_per_second.toFixed(1),
        point.server_cores.toFixed(3),
        predict(measured.model, point).server_cores.toFixed(3),
        (point.rss_kb / 1024).toFixed(0),
        String(point.missed),
      ]),
    },
    notes: [`One signature verification takes ${verify_us.toFixed(1)} µs here.`],
  };
}

function modelSection({ measured: { model, error }, verify_us }: PlanReport): Section {
  return {
    title: 'The model',
    facts: [
      fact(
        'Per check-in',
        `${model.cpu_us_per_checkin.toFixed(0)} µs of CPU = ${ratio(model, verify_us)} × a verification`,
      ),
      fact(
        'Per report',
        `${model.cpu_us_per_report.toFixed(0)} µs of CPU, ${model.writer_us_per_report.toFixed(0)} µs of the writing thread, ${(model.disk_bytes_per_report / 1024).toFixed(1)} KB of disk`,
      ),
      fact(
        'Per new envoy',
        `${(model.cpu_us_per_handshake / 1000).toFixed(1)} ms of CPU to connect, take the policy and tell of itself`,
      ),
      fact(
        'Per envoy',
        `${model.kb_per_envoy.toFixed(0)} KB of memory, beside ${gigabytes(model.base_kb)}`,
      ),
      fact(
        'Error',
        `CPU ${signed(error.cpu)} at the point that was held out, memory ${signed(error.memory)} at half of the fleet`,
      ),
    ],
    notes: [
      'The model is a straight line: cores = base + check-ins + reports. It assumes that shards add up with cores.',
    ],
  };
}

function warningsOf({ measured: { points, error } }: PlanReport): string[] {
  const others = Math.max(...points.map(({ other_cores }) => other_cores));
  const busy = Math.max(...points.map(({ generator_utilization }) => generator_utilization));
  return [
    ...(others > otherCoresMax
      ? [
          `other programs kept up to ${others.toFixed(1)} cores busy: repeat this on a quiet machine`,
        ]
      : []),
    ...(busy > generatorBusyMax
      ? [`the generator was busy for ${percent(busy)} of the time: the figures are partly its own`]
      : []),
    ...(Math.abs(error.cpu) > errorMax
      ? [`the model is off by ${signed(error.cpu)} where it was checked: do not plan with it`]
      : []),
  ];
}

function cpuChart({ measured, options }: PlanReport): Chart {
  const perSecond = Math.max(
    options.envoys / options.interval_s,
    ...measured.points.map(({ checkins_per_second }) => checkins_per_second),
  );
  const steps = Array.from({ length: chartPoints + 1 }, (_, at) => (perSecond * at) / chartPoints);
  const modelled = steps.map((rate) => {
    const fleet = { envoys: rate, interval_s: 1, changed: options.changed };
    return [rate, needsOf(measured.model, fleet).cpu] as const;
  });
  const points = measured.points.map(
    ({ checkins_per_second, server_cores }) => [checkins_per_second, server_cores] as const,
  );
  return {
    ...{ title: 'Processor by check-ins per second', unit: 'cores', xUnit: 'check-ins per second' },
    lines: [
      { name: 'modelled', points: modelled },
      { name: 'measured', points, dots: true },
    ],
  };
}

function memoryChart({ measured, options }: PlanReport): Chart {
  const { model, points } = measured;
  const most = Math.max(options.envoys, ...points.map(({ connections }) => connections));
  const at = (envoys: number) =>
    [envoys, (model.base_kb + envoys * model.kb_per_envoy) / 1024] as const;
  return {
    ...{ title: 'Memory by envoys', unit: 'MB', xUnit: 'envoys' },
    lines: [
      { name: 'modelled', points: [at(0), at(most)] },
      {
        name: 'measured',
        points: points.map(({ connections, rss_kb }) => [connections, rss_kb / 1024] as const),
        dots: true,
      },
    ],
  };
}

function ratio({ cpu_us_per_checkin }: Model, verifyUs: number): string {
  return (cpu_us_per_checkin / Math.max(1e-9, verifyUs)).toFixed(1);
}

function gigabytes(kilobytes: number): string {
  return `${(kilobytes / 2 ** 20).toFixed(1)} GB`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

function signed(share: number): string {
  return `${share < 0 ? '' : '+'}${Math.round(share * 100)} %`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
