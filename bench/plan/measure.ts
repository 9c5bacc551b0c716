import { setTimeout as sleep } from 'node:timers/promises';
import { Generator } from '../fleet/generator.ts';
import { processCpuUs, processRssKb } from '../fleet/process-cost.ts';
import type { Progress } from '../fleet/progress.ts';
import type { ServerUnderTest } from '../fleet/server-under-test.ts';
import { measureVerifyUs, medianOf } from '../fleet/signing.ts';
import { Calm } from '../run/calm.ts';
import { databaseBytes, databaseObjects } from '../run/disk.ts';
import { machineCpuUs } from '../run/sampler.ts';
import {
  errorShare,
  fitModel,
  type MemoryReading,
  type Model,
  type Point,
  predict,
} from './model.ts';

/** The server's rhythm while it is measured; envoys may leave out due times. */
export const measuringIntervalMs = 1000;
/** Parts that the time is divided into: warm-up, five points, and the server alone. */
const parts = 6.5;
const pollMs = 50;
/** After the last connection, by envoys, and at least. */
const calmLimitMs = { least: 3000, perEnvoy: 10 } as const;
const calmLookMs = 500;

export interface MeasuredPoint extends Point {
  readonly what: string;
  /** Predicted from the others, not used for the model. */
  readonly held_out: boolean;
  readonly seconds: number;
  readonly missed: number;
  readonly other_cores: number;
  readonly generator_utilization: number;
}

export interface Measured {
  readonly verify_us: number;
  readonly points: readonly MeasuredPoint[];
  /** Without load. */
  readonly readings: readonly MemoryReading[];
  readonly model: Model;
  /** Of the point that the model has not seen; of memory at half of the fleet; signed shares. */
  readonly error: { readonly cpu: number; readonly memory: number };
}

interface Bench {
  readonly server: ServerUnderTest;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly generators: Generator[];
  readonly partMs: number;
}

/** Measures a running server with `envoys` envoys for about `seconds`; `generators` are left to close. */
export async function measureMachine(
  server: ServerUnderTest,
  given: {
    readonly envoys: number;
    readonly seconds: number;
    readonly progress: Progress;
    readonly signal: AbortSignal;
    readonly generators: Generator[];
  },
): Promise<Measured> {
  const { envoys, progress, signal, generators } = given;
  const half = Math.floor(envoys / 2);
  const partMs = (given.seconds * 1000) / parts;
  const bench: Bench = { server, progress, signal, generators, partMs };
  const verify = measureVerifyUs();
  await calm(bench);
  const alone = await point(bench, 'the server alone', { every: 1, changed: 0, share: 0.5 });
  const empty = reading(bench, 0);
  const firstUs = await connect(bench, 0, half);
  const halfway = reading(bench, half);
  const secondUs = await connect(bench, half, envoys);
  const full = reading(bench, envoys);
  await pass(bench, partMs, 'warming up');
  await calm(bench);
  const whole = await point(bench, 'all envoys', { every: 1, changed: 0 });
  const slow = await point(bench, 'every second due time', { every: 2, changed: 0 });
  const fast = await point(bench, 'three times as often', { every: 1 / 3, changed: 0 });
  const before = await written(bench);
  const reporting = await point(bench, 'with reports', { every: 1, changed: 0.05 });
  const after = await written(bench);
  const heldOut = await point(bench, 'held out: twice as often, with reports', {
    ...{ every: 0.5, changed: 0.01 },
    heldOut: true,
  });
  verify.push(...measureVerifyUs());
  const reports = Math.max(1, after.reports - before.reports);
  const used = [alone, whole, slow, fast, reporting];
  const model = fitModel(used, [empty, halfway, full], {
    // The reading before began its count.
    writer_us_per_report: (after.writerBusy * (after.atMs - before.atMs) * 1000) / reports,
    cpu_us_per_handshake: (firstUs + secondUs) / 2,
    disk_bytes_per_report: Math.max(0, after.bytes - before.bytes) / reports,
  });
  const said = predict(model, heldOut);
  return {
    verify_us: medianOf(verify),
    points: [...used, heldOut],
    readings: [empty, halfway, full],
    model,
    error: {
      cpu: errorShare(said.server_cores, heldOut.server_cores),
      memory: errorShare((empty.rss_kb + full.rss_kb) / 2, halfway.rss_kb),
    },
  };
}

function reading({ server }: Bench, connections: number): MemoryReading {
  return { connections, rss_kb: processRssKb(server.pid) };
}

/** Microseconds of server CPU per envoy: handshake, first check-in with the policy, traits. */
async function connect(bench: Bench, from: number, to: number): Promise<number> {
  const { server, progress, generators } = bench;
  const beforeUs = processCpuUs(server.pid);
  const generator = new Generator(1, () => ({
    ...{ identitiesFile: server.identitiesFile, from, to, host: '127.0.0.1' },
    ...{ port: server.grpcPort, caPem: server.caPem, rampMs: 0, changed: 0 },
    intervalMs: measuringIntervalMs,
  }));
  generators.push(generator);
  while (!generator.ready) {
    server.check();
    progress.show(`connecting: ${from + generator.counts().connected} envoys`);
    await sleep(pollMs, undefined, { signal: bench.signal });
  }
  return (processCpuUs(server.pid) - beforeUs) / (to - from);
}

async function point(
  bench: Bench,
  what: string,
  pace: { every: number; changed: number; heldOut?: boolean; share?: number },
): Promise<MeasuredPoint> {
  const { server, generators } = bench;
  const partMs = bench.partMs * (pace.share ?? 1);
  for (const generator of generators) generator.pace(pace.every, pace.changed);
  // Until the new pace is everybody's.
  await pass(bench, Math.min(partMs / 3, 2 * measuringIntervalMs * Math.max(1, pace.every)), what);
  for (const generator of generators) generator.startMeasuring();
  while (!generators.every((generator) => generator.measuring)) await sleep(pollMs);
  const before = { ms: performance.now(), us: processCpuUs(server.pid), all: machineCpuUs() };
  const own = process.cpuUsage();
  const counts = () => generators.map((generator) => generator.counts());
  await pass(bench, (partMs * 2) / 3, what);
  const { user, system } = process.cpuUsage(own);
  const passedMs = performance.now() - before.ms;
  const serverUs = processCpuUs(server.pid) - before.us;
  const othersUs = machineCpuUs() - before.all - serverUs - user - system;
  const total = (pick: (count: ReturnType<Generator['counts']>) => number) =>
    counts().reduce((sum, count) => sum + pick(count), 0);
  return {
    what,
    held_out: pace.heldOut === true,
    seconds: passedMs / 1000,
    connections: total(({ connected }) => connected),
    checkins_per_second: (total(({ done }) => done) * 1000) / passedMs,
    reports_per_second: (total(({ reports }) => reports) * 1000) / passedMs,
    missed: total(({ missed }) => missed),
    server_cores: serverUs / 1000 / passedMs,
    rss_kb: processRssKb(server.pid),
    other_cores: Math.max(0, othersUs) / 1000 / passedMs,
    generator_utilization: Math.max(0, ...generators.map(({ utilization }) => utilization)),
  };
}

interface Written {
  readonly reports: number;
  readonly bytes: number;
  readonly atMs: number;
  /** Share of the time since the reading before in which the writing thread had work, 0 to 1. */
  readonly writerBusy: number;
}

/** What the database has taken so far. */
async function written({ server, signal }: Bench): Promise<Written> {
  const { service } = await server.figures();
  while (!(await server.drained())) await sleep(pollMs, undefined, { signal });
  const objects = databaseObjects(server.databaseFile);
  const reports = objects.get('runs')?.rows ?? 0;
  return {
    reports,
    bytes: databaseBytes(objects),
    atMs: performance.now(),
    writerBusy: service?.figures.utilization ?? 0,
  };
}

/** Until the wave of connections is over for the server, too; a busy machine is not waited for. */
async function calm(bench: Bench): Promise<void> {
  const { server, generators } = bench;
  const seen = new Calm();
  const counts = () => generators.map((generator) => generator.counts());
  const spent = () => ({
    atMs: performance.now(),
    serverUs: processCpuUs(server.pid),
    missed: counts().reduce((sum, { missed }) => sum + missed, 0),
    reports: counts().reduce((sum, { reports }) => sum + reports, 0),
  });
  const connected = counts().reduce((sum, count) => sum + count.connected, 0);
  const limitMs = calmLimitMs.least + calmLimitMs.perEnvoy * connected;
  for (const untilMs = performance.now() + limitMs; performance.now() < untilMs; ) {
    const before = spent();
    await pass(bench, calmLookMs, 'waiting for the server to be calm');
    if (seen.look(before, spent(), await server.figures()) === undefined) return;
  }
}

async function pass({ server, progress, signal }: Bench, ms: number, what: string): Promise<void> {
  const untilMs = performance.now() + ms;
  for (let left = ms; left > 0; left = untilMs - performance.now()) {
    server.check();
    progress.show(`${what}: ${Math.ceil(left / 1000)} s left`);
    await sleep(Math.min(250, left), undefined, { signal });
  }
}
