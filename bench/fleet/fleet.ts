import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import { Generator, type GeneratorResult } from './generator.ts';
import { type FleetOptions, partOf } from './options.ts';
import { openFilesMax, processCpuUs, processRssKb } from './process-cost.ts';
import type { Progress } from './progress.ts';
import { buildReport, type FleetReport, type Measurements } from './report.ts';
import { ServerUnderTest } from './server-under-test.ts';
import { measureVerifyUs, medianOf } from './signing.ts';

/** The loop that shows progress. */
const tickMs = 500;
/** After the last connection the pacing of the fleet settles for this many intervals. */
const settleIntervals = 1.5;
/** Open files that the programs need beside one per envoy. */
const ownFiles = 300;

/** What the steps of one run share. */
interface Run {
  readonly options: FleetOptions;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly server: ServerUnderTest;
}

/**
 * One steady-state run: real server process, real connections, keys, certificates, signatures. When
 * `signal` aborts, everything that was started ends and the temporary home goes.
 */
export async function runFleet(
  options: FleetOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<FleetReport> {
  checkLimits(options);
  const keep = options.workDirectory;
  const directory = keep ?? mkdtempSync(join(tmpdir(), 'vigobench-'));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const server = new ServerUnderTest(directory, options, signal);
  const run = { options, progress, signal, server };
  let generator: Generator | undefined;
  try {
    progress.say(`making ${options.envoys} identities and a server home`);
    await server.prepare();
    await server.start();
    await server.publish();
    const verifyUs = measureVerifyUs();
    const rssBeforeKb = processRssKb(server.pid);
    generator = openGenerator(options, server);
    const ramp = await connectFleet(run, generator);
    const measured = await measure(run, generator);
    verifyUs.push(...measureVerifyUs());
    return buildReport(options, { ...measured, ramp, rssBeforeKb, verifyUs: medianOf(verifyUs) });
  } finally {
    progress.clear();
    await generator?.close();
    await server.stop();
    if (keep === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function checkLimits(options: FleetOptions): void {
  const files = openFilesMax();
  if (options.envoys + ownFiles <= files) return;
  const most = Math.max(0, files - ownFiles);
  throw new BenchError('BENCH_LIMIT', `${files} open files per process allow ${most} envoys`);
}

function openGenerator(options: FleetOptions, server: ServerUnderTest): Generator {
  return new Generator(options.workers, (at) => {
    const [from, to] = partOf(options.envoys, options.workers, at);
    return {
      identitiesFile: server.identitiesFile,
      from,
      to,
      host: '127.0.0.1',
      port: server.grpcPort,
      caPem: server.caPem,
      intervalMs: options.intervalMs,
      rampMs: options.rampMs,
      changed: options.changed,
    };
  });
}

async function connectFleet(run: Run, generator: Generator): Promise<Measurements['ramp']> {
  const { options, progress, server } = run;
  const beganMs = performance.now();
  while (!generator.ready) {
    server.check();
    progress.show(`connecting: ${generator.counts().connected} of ${options.envoys} envoys`);
    await pause(run, tickMs / 5);
  }
  const durationMs = performance.now() - beganMs;
  progress.show('letting the fleet settle');
  await pause(run, options.intervalMs * settleIntervals);
  return { durationMs, errors: generator.counts().errors };
}

type Window = Omit<Measurements, 'ramp' | 'rssBeforeKb' | 'verifyUs'>;

async function measure(run: Run, generator: Generator): Promise<Window> {
  const { options, progress, server } = run;
  const figuresBefore = await server.figures();
  generator.startMeasuring();
  while (!generator.measuring) await pause(run, tickMs / 25);
  const cpuBeforeUs = processCpuUs(server.pid);
  const ownBefore = process.cpuUsage();
  const beganMs = performance.now();
  for (let passedMs = 0; passedMs < options.durationMs; passedMs = performance.now() - beganMs) {
    server.check();
    const { done, missed } = generator.counts();
    const left = Math.ceil((options.durationMs - passedMs) / 1000);
    progress.show(`measuring: ${done} check-ins, ${missed} missed, ${left} s left`);
    await pause(run, Math.min(tickMs, options.durationMs - passedMs));
  }
  generator.finish();
  const own = process.cpuUsage(ownBefore);
  const serverCpuUs = processCpuUs(server.pid) - cpuBeforeUs;
  const windowMs = performance.now() - beganMs;
  const rssKb = processRssKb(server.pid);
  const result = await settled(run, generator);
  const figuresAfter = await server.figures();
  if (figuresAfter.shards.length !== figuresBefore.shards.length) {
    throw new BenchError('BENCH_SERVER', 'a fleet thread did not tell its counters');
  }
  return {
    windowMs,
    serverCpuUs,
    generatorCpuUs: own.user + own.system,
    rssKb,
    figuresBefore,
    figuresAfter,
    result,
  };
}

/** Waits for the check-ins that the end of the window found under way. */
async function settled(run: Run, generator: Generator): Promise<GeneratorResult> {
  for (;;) {
    const { result } = generator;
    if (result) return result;
    run.server.check();
    run.progress.show('waiting for the last answers');
    await pause(run, tickMs / 5);
  }
}

async function pause({ signal }: Run, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal });
}
