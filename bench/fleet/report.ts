import type { Provenance } from '../run/provenance.ts';
import type { GeneratorResult } from './generator.ts';
import type { LatencySummary } from './histogram.ts';
import type { FleetOptions } from './options.ts';
import type { ServerFigures, ShardFigures } from './server-under-test.ts';

/** Above this share the generator's own delays show in the figures. */
export const utilizationWarning = 0.7;

/**
 * What `vigobench fleet --json` prints. CPU in microseconds, memory in kilobytes. Each figure is
 * defined in docs/vigobench.md.
 */
export interface FleetReport extends Provenance {
  readonly options: {
    readonly envoys: number;
    readonly interval_ms: number;
    readonly duration_ms: number;
    readonly changed: number;
    readonly workers: number;
  };
  readonly ramp: {
    readonly duration_ms: number;
    readonly errors: Readonly<Record<string, number>>;
  };
  readonly checkins: {
    readonly done: number;
    readonly missed: number;
    readonly per_second: number;
  };
  readonly latency_ms: LatencySummary;
  readonly reports: { readonly durable: number; readonly latency_ms: LatencySummary };
  readonly verify_us: number;
  readonly server: {
    readonly cpu_us_per_checkin: number;
    readonly cpu_to_verify_ratio: number;
    readonly cpu_cores: number;
    readonly rss_kb_per_envoy: number;
    readonly rss_kb: number;
    readonly rss_kb_before: number;
    readonly checkins_served: number;
    readonly sql_statements_on_path: number;
    readonly sql_driver_loaded: boolean;
  };
  readonly generator: {
    readonly cpu_us_per_checkin: number;
    readonly cpu_cores: number;
    /** Of its busiest thread, 0 to 1. */
    readonly event_loop_utilization: number;
    readonly late_starts_ms: LatencySummary;
    readonly bottleneck: boolean;
  };
  readonly reconnects: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** What one run measured; times by the name's unit, memory in kilobytes. */
export interface Measurements {
  readonly provenance: Provenance;
  readonly ramp: { readonly durationMs: number; readonly errors: Readonly<Record<string, number>> };
  readonly windowMs: number;
  readonly verifyUs: number;
  readonly serverCpuUs: number;
  readonly generatorCpuUs: number;
  readonly rssBeforeKb: number;
  /** At the end of the window. */
  readonly rssKb: number;
  readonly figuresBefore: ServerFigures;
  readonly figuresAfter: ServerFigures;
  readonly result: GeneratorResult;
}

export function buildReport(options: FleetOptions, measured: Measurements): FleetReport {
  const { result, windowMs, verifyUs, serverCpuUs, generatorCpuUs } = measured;
  const { inWindow, counts } = result;
  const perCheckIn = (us: number) => us / Math.max(1, inWindow.done);
  const cores = (us: number) => roundTo(us / 1000 / windowMs, 2);
  const { rssKb, rssBeforeKb } = measured;
  return {
    options: {
      envoys: options.envoys,
      interval_ms: options.intervalMs,
      duration_ms: options.durationMs,
      changed: options.changed,
      workers: options.workers,
    },
    ...measured.provenance,
    ramp: { duration_ms: Math.round(measured.ramp.durationMs), errors: measured.ramp.errors },
    checkins: {
      done: counts.done,
      missed: counts.missed,
      per_second: roundTo((inWindow.done * 1000) / windowMs, 1),
    },
    latency_ms: result.checkIns.summary(),
    reports: { durable: counts.reports, latency_ms: result.reports.summary() },
    verify_us: roundTo(verifyUs, 1),
    server: {
      cpu_us_per_checkin: roundTo(perCheckIn(serverCpuUs), 1),
      cpu_to_verify_ratio: roundTo(perCheckIn(serverCpuUs) / verifyUs, 2),
      cpu_cores: cores(serverCpuUs),
      rss_kb_per_envoy: roundTo((rssKb - rssBeforeKb) / options.envoys, 1),
      rss_kb: rssKb,
      rss_kb_before: rssBeforeKb,
      checkins_served: served(measured, ({ checkIns }) => checkIns),
      sql_statements_on_path: served(measured, ({ sqlStatements }) => sqlStatements),
      sql_driver_loaded: measured.figuresAfter.shards.some((shard) => shard.sqlDriverLoaded),
    },
    generator: {
      cpu_us_per_checkin: roundTo(perCheckIn(generatorCpuUs), 1),
      cpu_cores: cores(generatorCpuUs),
      event_loop_utilization: roundTo(result.utilization, 2),
      late_starts_ms: result.lateStarts.summary(),
      bottleneck: result.utilization > utilizationWarning,
    },
    reconnects: counts.reconnects,
    errors: counts.errors,
  };
}

/** Growth of a counter of the fleet threads; one that was replaced counts from zero again. */
function served(
  { figuresBefore, figuresAfter }: Measurements,
  pick: (shard: ShardFigures) => number,
): number {
  const before = new Map(figuresBefore.shards.map((shard) => [shard.thread, shard]));
  return figuresAfter.shards.reduce((sum, shard) => {
    const earlier = before.get(shard.thread);
    const goesOn = earlier !== undefined && earlier.checkIns <= shard.checkIns;
    return sum + pick(shard) - (goesOn ? pick(earlier) : 0);
  }, 0);
}

function roundTo(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
