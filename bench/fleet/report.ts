import { arch, cpus, release, totalmem, type } from 'node:os';
import { styleText } from 'node:util';
import type { LatencySummary } from './histogram.ts';
import type { FleetOptions } from './options.ts';

/** What `vigobench fleet --json` prints. CPU in microseconds, memory in kilobytes. */
export interface FleetReport {
  readonly options: {
    readonly envoys: number;
    readonly interval_ms: number;
    readonly duration_ms: number;
    readonly changed: number;
  };
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memory_gb: number;
    readonly system: string;
    readonly node: string;
  };
  readonly ramp_ms: number;
  readonly checkins: {
    readonly done: number;
    readonly missed: number;
    readonly per_second: number;
  };
  readonly reports: { readonly done: number; readonly latency_ms: LatencySummary };
  readonly latency_ms: LatencySummary;
  readonly verify_us: number;
  readonly server: {
    readonly cpu_us_per_checkin: number;
    readonly cpu_to_verify_ratio: number;
    readonly cpu_cores: number;
    readonly rss_kb_per_envoy: number;
    readonly rss_kb: number;
    readonly rss_kb_before: number;
    readonly sql_statements_on_path: number;
  };
  readonly generator: { readonly cpu_us_per_checkin: number; readonly cpu_cores: number };
  readonly errors: Readonly<Record<string, number>>;
}

export function machine(): FleetReport['machine'] {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
  };
}

export function roundTo(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

export function describeReport(report: FleetReport, options: FleetOptions): string {
  const { server, generator, latency_ms: latency, checkins } = report;
  const good = (ok: boolean, text: string) => styleText(ok ? 'green' : 'red', text);
  const rows: [string, string][] = [
    [
      'Fleet',
      `${options.envoys} envoys every ${options.intervalMs / 1000} s for ${options.durationMs / 1000} s`,
    ],
    ['Check-ins', `${checkins.done} done (${checkins.per_second} per second)`],
    ['Missed deadlines', good(checkins.missed === 0, String(checkins.missed))],
    ['Latency', `p50 ${latency.p50} ms, p99 ${latency.p99} ms, max ${latency.max} ms`],
    [
      'Server CPU',
      `${server.cpu_us_per_checkin} µs per check-in = ${server.cpu_to_verify_ratio} × one signature verification (${report.verify_us} µs)`,
    ],
    ['Server load', `${server.cpu_cores} of ${report.machine.cores} cores`],
    [
      'Server memory',
      `${server.rss_kb_per_envoy} KB per envoy (${Math.round(server.rss_kb / 1024)} MB in all)`,
    ],
    [
      'SQL on the path',
      good(server.sql_statements_on_path === 0, `${server.sql_statements_on_path} statements`),
    ],
    ['Generator', `${generator.cpu_us_per_checkin} µs per check-in, ${generator.cpu_cores} cores`],
    ['Connecting', `${roundTo(report.ramp_ms / 1000, 1)} s for all envoys`],
  ];
  if (report.reports.done > 0) {
    const { p50, p99 } = report.reports.latency_ms;
    rows.push(['Reports', `${report.reports.done} durable, p50 ${p50} ms, p99 ${p99} ms`]);
  }
  const errors = Object.entries(report.errors).map(([code, count]) => `${code} ${count}`);
  rows.push(['Errors', good(errors.length === 0, errors.join(', ') || 'none')]);
  return rows.map(([name, value]) => `${name.padEnd(18)}${value}`).join('\n');
}
