import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import { Generator } from './generator.ts';
import type { FleetOptions } from './options.ts';
import { openFilesMax, processCpuUs, processRssKb } from './process-cost.ts';
import type { Progress } from './progress.ts';
import { type FleetReport, machine, roundTo } from './report.ts';
import { ServerUnderTest } from './server-under-test.ts';
import { measureVerifyUs } from './signing.ts';

/** The loop that shows progress. */
const tickMs = 500;
/** After the last connection the server's memory and pacing settle for this many intervals. */
const settleIntervals = 1.5;
/** Open files that the programs need beside one per envoy. */
const ownFiles = 300;

/** One steady-state run: real server process, real connections, keys, certificates, signatures. */
export async function runFleet(options: FleetOptions, progress: Progress): Promise<FleetReport> {
  checkLimits(options);
  const keep = options.workDirectory;
  const directory = keep ?? mkdtempSync(join(tmpdir(), 'vigobench-'));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const server = new ServerUnderTest(directory, options);
  let generator: Generator | undefined;
  try {
    progress.say(`making ${options.envoys} identities and a server home`);
    await server.prepare();
    await server.start();
    const verifyUs = measureVerifyUs();
    const rssBeforeKb = processRssKb(server.pid);
    generator = openGenerator(options, server);
    const rampMs = await connectFleet(options, generator, progress);
    return await measure(options, progress, { server, generator, verifyUs, rssBeforeKb, rampMs });
  } finally {
    await generator?.close();
    await server.stop();
    if (keep === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function checkLimits(options: FleetOptions): void {
  const files = openFilesMax();
  if (options.envoys + ownFiles <= files) return;
  const most = files - ownFiles;
  throw new BenchError('BENCH_LIMIT', `${files} open files per process allow ${most} envoys`);
}

function openGenerator(options: FleetOptions, server: ServerUnderTest): Generator {
  const bound = (at: number) => Math.floor((options.envoys * at) / options.workers);
  return new Generator(options.workers, (at) => ({
    identitiesFile: server.identitiesFile,
    from: bound(at),
    to: bound(at + 1),
    host: '127.0.0.1',
    port: server.grpcPort,
    caPem: server.caPem,
    intervalMs: options.intervalMs,
    rampMs: options.rampMs,
    changed: options.changed,
  }));
}

async function connectFleet(
  options: FleetOptions,
  generator: Generator,
  progress: Progress,
): Promise<number> {
  const beganMs = performance.now();
  let ready = false;
  const all = generator.ready().then(() => {
    ready = true;
  });
  while (!ready) {
    const { connected } = generator.counts();
    progress.show(`connecting: ${connected} of ${options.envoys} envoys`);
    await Promise.race([all, sleep(tickMs)]);
  }
  const rampMs = performance.now() - beganMs;
  progress.show('letting the fleet settle');
  await sleep(options.intervalMs * settleIntervals);
  return rampMs;
}

interface Measured {
  readonly server: ServerUnderTest;
  readonly generator: Generator;
  readonly verifyUs: number;
  readonly rssBeforeKb: number;
  readonly rampMs: number;
}

async function measure(
  options: FleetOptions,
  progress: Progress,
  { server, generator, verifyUs, rssBeforeKb, rampMs }: Measured,
): Promise<FleetReport> {
  generator.startMeasuring();
  const cpuBeforeUs = processCpuUs(server.pid);
  const ownBefore = process.cpuUsage();
  const beganMs = performance.now();
  for (let passedMs = 0; passedMs < options.durationMs; passedMs = performance.now() - beganMs) {
    const { done, missed } = generator.counts();
    const left = Math.ceil((options.durationMs - passedMs) / 1000);
    progress.show(`measuring: ${done} check-ins, ${missed} missed, ${left} s left`);
    await sleep(Math.min(tickMs, options.durationMs - passedMs));
  }
  const cpuUs = processCpuUs(server.pid) - cpuBeforeUs;
  const own = process.cpuUsage(ownBefore);
  const passedUs = (performance.now() - beganMs) * 1000;
  const rssKb = processRssKb(server.pid);
  const figures = await server.figures();
  const { counts, checkIns, reports } = await generator.finish();
  progress.clear();
  const perCheckIn = (us: number) => roundTo(us / Math.max(1, counts.done), 1);
  const interval = options.intervalMs;
  return {
    options: {
      envoys: options.envoys,
      interval_ms: interval,
      duration_ms: options.durationMs,
      changed: options.changed,
    },
    machine: machine(),
    ramp_ms: Math.round(rampMs),
    checkins: {
      done: counts.done,
      missed: counts.missed,
      per_second: roundTo((counts.done * 1_000_000) / passedUs, 1),
    },
    reports: { done: counts.reports, latency_ms: reports.summary() },
    latency_ms: checkIns.summary(),
    verify_us: roundTo(verifyUs, 1),
    server: {
      cpu_us_per_checkin: perCheckIn(cpuUs),
      cpu_to_verify_ratio: roundTo(cpuUs / Math.max(1, counts.done) / verifyUs, 2),
      cpu_cores: roundTo(cpuUs / passedUs, 2),
      rss_kb_per_envoy: roundTo((rssKb - rssBeforeKb) / options.envoys, 1),
      rss_kb: rssKb,
      rss_kb_before: rssBeforeKb,
      sql_statements_on_path: figures.shards.reduce((sum, shard) => sum + shard.sqlStatements, 0),
    },
    generator: {
      cpu_us_per_checkin: perCheckIn(own.user + own.system),
      cpu_cores: roundTo((own.user + own.system) / passedUs, 2),
    },
    errors: counts.errors,
  };
}
