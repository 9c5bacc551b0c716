import { styleText } from 'node:util';
import { type FleetReport, utilizationWarning } from './report.ts';

const nameWidth = 18;

/** The report for people; colours only on a terminal. */
export function describeReport(report: FleetReport): string {
  const { options, server, generator, latency_ms: latency, checkins, reports } = report;
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
  const rows: [name: string, value: string][] = [
    [
      'Fleet',
      `${options.envoys} envoys every ${seconds(options.interval_ms)} for ${seconds(options.duration_ms)}`,
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
      `${server.rss_kb_per_envoy} KB per envoy (${Math.round(server.rss_kb / 1024)} MB in all at the end of the window)`,
    ],
    ['SQL on the path', sqlText(server)],
    [
      'Generator',
      `${generator.cpu_us_per_checkin} µs per check-in, ${generator.cpu_cores} cores, busiest thread ${percent(generator.event_loop_utilization)}, p99 started ${generator.late_starts_ms.p99} ms late`,
    ],
    ['Connecting', `${seconds(report.ramp.duration_ms)} for all envoys${rampErrors(report)}`],
  ];
  if (reports.durable > 0) {
    const { p50, p99 } = reports.latency_ms;
    rows.push(['Reports', `${reports.durable} durable, p50 ${p50} ms, p99 ${p99} ms`]);
  }
  const errors = listErrors(report.errors);
  rows.push(['Reconnects', good(report.reconnects === 0, String(report.reconnects))]);
  rows.push(['Errors', good(errors === '', errors || 'none')]);
  return rows.map(([name, value]) => `${name.padEnd(nameWidth)}${value}`).join('\n');
}

/** What a reader must know before believing the figures; none when all is well. */
export function warningsOf(report: FleetReport): string[] {
  const warnings: string[] = [];
  const { event_loop_utilization: utilization, bottleneck } = report.generator;
  if (bottleneck) {
    warnings.push(
      `the generator was busy for ${percent(utilization)} of the window (more than ${percent(utilizationWarning)}): ` +
        'latencies and misses are partly its own; use more --workers, fewer envoys or a longer interval',
    );
  }
  return warnings;
}

function good(ok: boolean, text: string): string {
  return styleText(ok ? 'green' : 'red', text);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function sqlText(server: FleetReport['server']): string {
  const statements = `${server.sql_statements_on_path} statements`;
  const clean = server.sql_statements_on_path === 0 && !server.sql_driver_loaded;
  return good(clean, server.sql_driver_loaded ? `${statements}, a driver is loaded` : statements);
}

function rampErrors({ ramp }: FleetReport): string {
  const errors = listErrors(ramp.errors);
  return errors === '' ? '' : `, with errors: ${errors}`;
}

function listErrors(errors: Readonly<Record<string, number>>): string {
  const byCount = Object.entries(errors).sort(([, a], [, b]) => b - a);
  return byCount.map(([code, count]) => `${code} ${count}`).join(', ');
}
