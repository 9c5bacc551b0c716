import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIdentities } from '../../bench/fleet/identities.ts';
import { processCpuUs } from '../../bench/fleet/process-cost.ts';
import { ServerUnderTest } from '../../bench/fleet/server-under-test.ts';
import { measureVerifyUs, medianOf } from '../../bench/fleet/signing.ts';
import { SimulatedEnvoy } from '../../bench/fleet/simulated-envoy.ts';
import { machineCpuUs } from '../../bench/run/sampler.ts';
import type { PathFigures, RegressionFigures } from './figures.ts';
import { functionSamples, monotonicUs, type Span } from './profile.ts';

export interface MeasureOptions {
  /** Home, identities and profiles; used again when they are there. */
  readonly directory: string;
  readonly envoys: number;
  /** In the window; as many go before, so that the code is compiled. */
  readonly checkIns: number;
  /** A module that every thread of the server loads first: a planted fault. */
  readonly plant?: string;
}

/** Calls under way at once. */
const lanes = 16;
const callLimitMs = 60_000;
const profileIntervalUs = 250;
const functionsKept = 60;
/** Cheaper ones are noise; in verifications. */
const leastKept = 0.002;
/** Reports in the window, by check-ins. */
const reportShare = 0.1;
const intervalMs = 60_000;
const verification = /crypto_sign_verify_detached/;
const drainPollMs = 20;

interface Window extends Span {
  readonly cpuUs: number;
  readonly count: number;
  readonly sqlStatements: number;
}

/** Starts a server of its own, drives three paths through it, and stops it. */
export async function measureServer(
  options: MeasureOptions,
): Promise<Omit<RegressionFigures, 'command' | 'date' | 'commit'>> {
  const profiles = join(options.directory, `profiles-${process.pid}-${monotonicUs()}`);
  mkdirSync(profiles, { recursive: true });
  const server = new ServerUnderTest(options.directory, {
    ...{ envoys: options.envoys, intervalMs, shards: 1, compileAnew: true },
    nodeFlags: [
      ...(options.plant === undefined ? [] : ['--import', options.plant]),
      ...['--cpu-prof', `--cpu-prof-dir=${profiles}`],
      ...['--cpu-prof-interval', String(profileIntervalUs)],
    ],
  });
  await server.prepare();
  const verify = measureVerifyUs();
  const machineUs = machineCpuUs();
  const beganMs = performance.now();
  const own = process.cpuUsage();
  let windows: Record<'connect' | 'check-in' | 'report', Window>;
  let serverUs = 0;
  let sqlDriverLoaded = false;
  try {
    await server.start();
    await server.publish();
    windows = await drive(server, options);
    serverUs = processCpuUs(server.pid);
    sqlDriverLoaded = (await server.figures()).shards.some((shard) => shard.sqlDriverLoaded);
  } finally {
    await server.stop();
  }
  verify.push(...measureVerifyUs());
  const verifyUs = medianOf(verify);
  const { user, system } = process.cpuUsage(own);
  const othersUs = machineCpuUs() - machineUs - serverUs - user - system;
  const passedUs = (performance.now() - beganMs) * 1000;
  return {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      node: process.version,
      other_cores: rounded(Math.max(0, othersUs) / passedUs, 2),
    },
    verify_us: rounded(verifyUs, 1),
    sql_driver_loaded: sqlDriverLoaded,
    paths: {
      // A check-in and the traits.
      connect: figuresOf(windows.connect, profiles, 2),
      'check-in': figuresOf(windows['check-in'], profiles, 1),
      report: figuresOf(windows.report, profiles, 1),
    },
  };
}

async function drive(
  server: ServerUnderTest,
  { envoys: count, checkIns }: MeasureOptions,
): Promise<Record<'connect' | 'check-in' | 'report', Window>> {
  const target = { host: '127.0.0.1', port: server.grpcPort, caPem: server.caPem };
  const envoys = readIdentities(server.identitiesFile, count).map(
    (identity) => new SimulatedEnvoy(identity, target),
  );
  const deadline = () => performance.now() + callLimitMs;
  const checkIn = (envoy: SimulatedEnvoy) => envoy.checkIn(deadline());
  try {
    const connect = await windowOf(server, envoys, count, async (envoy) => {
      const { wantTraits } = await checkIn(envoy);
      if (wantTraits) await envoy.reportTraits(deadline());
    });
    await inLanes(envoys, checkIns, checkIn);
    const steady = await windowOf(server, envoys, checkIns, checkIn);
    const reports = Math.round(checkIns * reportShare);
    const report = (envoy: SimulatedEnvoy) => envoy.report(deadline());
    await inLanes(envoys, reports / 2, report);
    const reporting = await windowOf(server, envoys, reports, report);
    return { connect, 'check-in': steady, report: reporting };
  } finally {
    for (const envoy of envoys) envoy.close();
  }
}

/** With the database's work for it. */
async function windowOf(
  server: ServerUnderTest,
  envoys: readonly SimulatedEnvoy[],
  count: number,
  act: (envoy: SimulatedEnvoy) => Promise<unknown>,
): Promise<Window> {
  const sql = async () => {
    const { shards } = await server.figures();
    return shards.reduce((sum, { sqlStatements }) => sum + sqlStatements, 0);
  };
  const statements = await sql();
  const cpuUs = processCpuUs(server.pid);
  const fromUs = monotonicUs();
  await inLanes(envoys, count, act);
  while (!(await server.drained())) await sleep(drainPollMs);
  return {
    fromUs,
    toUs: monotonicUs(),
    count,
    cpuUs: processCpuUs(server.pid) - cpuUs,
    sqlStatements: (await sql()) - statements,
  };
}

async function inLanes(
  envoys: readonly SimulatedEnvoy[],
  count: number,
  act: (envoy: SimulatedEnvoy) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < count; at = next++) {
      await act(envoys[at % envoys.length] as SimulatedEnvoy);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/**
 * The unit is the verification of the same window, by the same profile: what slows the machine slows
 * both. Time in other threads of the process than JavaScript's is not in it.
 */
function figuresOf(window: Window, profiles: string, verifications: number): PathFigures {
  const samples = [...functionSamples(profiles, window)];
  const verify = samples.find(([name]) => verification.test(name))?.[1] ?? 0;
  if (verify === 0) throw new Error('the profile shows no signature verification');
  const unit = verifications / verify;
  const cost = samples.reduce((sum, [, count]) => sum + count * unit, 0);
  const dearest = samples
    .map(([name, count]) => [name, rounded(count * unit, 4)] as const)
    .filter(([, own]) => own >= leastKept)
    .sort(([, a], [, b]) => b - a)
    .slice(0, functionsKept);
  return {
    cpu_to_verify: rounded(cost, 3),
    error: rounded(1 / Math.sqrt(verify), 3),
    process_cpu_us: rounded(window.cpuUs / window.count, 1),
    sql_statements: window.sqlStatements,
    functions: Object.fromEntries(dearest),
  };
}

function rounded(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
