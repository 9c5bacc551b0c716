import { type Fact, fact } from '../present/view.ts';
import { type FleetReport, utilizationWarning } from './report.ts';

/** What a run's check-ins came to. */
export function reportFacts(report: FleetReport): Fact[] {
  const { options, server, generator, latency_ms: latency, checkins, reports } = report;
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
  const facts = [
    fact(
      'Fleet',
      `${options.envoys} envoys every ${seconds(options.interval_ms)} for ${seconds(options.duration_ms)}`,
    ),
    fact('Check-ins', `${checkins.done} done (${checkins.per_second} per second)`),
    fact('Missed deadlines', String(checkins.missed), checkins.missed === 0),
    fact('Latency', `p50 ${latency.p50} ms, p99 ${latency.p99} ms, max ${latency.max} ms`),
    fact(
      'Server CPU',
      `${server.cpu_us_per_checkin} µs per check-in = ${server.cpu_to_verify_ratio} × one signature verification (${report.verify_us} µs)`,
    ),
    fact('Server load', `${server.cpu_cores} of ${report.machine.cores} cores`),
    fact(
      'Server memory',
      `${server.rss_kb_per_envoy} KB per envoy (${Math.round(server.rss_kb / 1024)} MB in all at the end of the window)`,
    ),
    fact('SQL on the path', sqlText(server), isFreeOfSql(server)),
    fact(
      'Generator',
      `${generator.cpu_us_per_checkin} µs per check-in, ${generator.cpu_cores} cores, busiest thread ${percent(generator.event_loop_utilization)}, p99 started ${generator.late_starts_ms.p99} ms late`,
    ),
    fact('Connecting', `${seconds(report.ramp.duration_ms)} for all envoys${rampErrors(report)}`),
  ];
  if (reports.durable > 0) {
    const { p50, p99 } = reports.latency_ms;
    facts.push(fact('Reports', `${reports.durable} durable, p50 ${p50} ms, p99 ${p99} ms`));
  }
  const errors = listErrors(report.errors);
  facts.push(fact('Reconnects', String(report.reconnects), report.reconnects === 0));
  facts.push(fact('Errors', errors || 'none', errors === ''));
  return facts;
}

/** Beyond this a latency tells more of the generator than of the server; milliseconds. */
const lateStartWarningMs = 50;

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
  const late = report.generator.late_starts_ms.p99;
  if (late > lateStartWarningMs) {
    warnings.push(
      `one in a hundred check-ins was begun ${late} ms late or more: the machine was too busy, latencies are partly the generator's`,
    );
  }
  return warnings;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function isFreeOfSql(server: FleetReport['server']): boolean {
  return server.sql_statements_on_path === 0 && !server.sql_driver_loaded;
}

function sqlText(server: FleetReport['server']): string {
  const statements = `${server.sql_statements_on_path} statements`;
  return server.sql_driver_loaded ? `${statements}, a driver is loaded` : statements;
}

function rampErrors({ ramp }: FleetReport): string {
  const errors = listErrors(ramp.errors);
  return errors === '' ? '' : `, with errors: ${errors}`;
}

function listErrors(errors: Readonly<Record<string, number>>): string {
  const byCount = Object.entries(errors).sort(([, a], [, b]) => b - a);
  return byCount.map(([code, count]) => `${code} ${count}`).join(', ');
}
