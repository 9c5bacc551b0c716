import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Generator } from '../fleet/generator.ts';
import { openFilesMax } from '../fleet/process-cost.ts';
import type { Progress } from '../fleet/progress.ts';
import { ServerUnderTest } from '../fleet/server-under-test.ts';
import { type Provenance, provenance } from '../run/provenance.ts';
import { type Measured, measureMachine, measuringIntervalMs } from './measure.ts';
import {
  bindingOf,
  carries,
  type Fleet,
  type Hardware,
  hardwareFor,
  type Machine,
  needsOf,
  type Resource,
  restartSeconds,
  usesOf,
} from './model.ts';

export interface PlanOptions extends Fleet {
  readonly seconds: number;
  readonly workDirectory: string | undefined;
}

/** What `vigobench plan --json` prints. */
export interface PlanReport extends Provenance {
  readonly mode: 'plan';
  readonly options: {
    readonly envoys: number;
    readonly interval_s: number;
    readonly changed: number;
    readonly seconds: number;
  };
  readonly limits: Machine;
  readonly verify_us: number;
  readonly measured: Measured;
  readonly answer: {
    readonly fits: boolean;
    /** What is usable, by what is needed; above 1 there is room. */
    readonly headroom: number;
    readonly binds_first: Resource;
    readonly needs: Readonly<Record<Resource, number>>;
    readonly uses: Readonly<Record<Resource, number>>;
    /** Envoys of this rhythm that this machine carries. */
    readonly carries_envoys: number;
    readonly restart_s: number;
    readonly hardware: Hardware;
  };
  /** Largest fleet of this machine at other intervals; modelled. */
  readonly table: readonly { interval_s: number; carries_envoys: number; binds_first: Resource }[];
}

const intervalsS = [15, 30, 60, 300, 900, 1800] as const;
/** Identities made, by the seconds there are; each costs some 10 ms of the time. */
const envoysPerSecond = 10;
const envoysBounds = { least: 40, most: 2000 } as const;

/** Measures this machine and answers for the fleet that was asked about. */
export async function runPlan(
  options: PlanOptions,
  parts: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<PlanReport> {
  const about = provenance(new Date());
  const keep = options.workDirectory;
  const directory = keep ?? mkdtempSync(join(tmpdir(), 'vigobench-'));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { least, most } = envoysBounds;
  const envoys = Math.min(most, Math.max(least, Math.round(options.seconds * envoysPerSecond)));
  const server = new ServerUnderTest(
    directory,
    { envoys, intervalMs: measuringIntervalMs, shards: 0, compileAnew: true },
    parts.signal,
  );
  const generators: Generator[] = [];
  try {
    parts.progress.say(`measuring this machine with ${envoys} envoys for ${options.seconds} s`);
    await server.prepare();
    await server.start();
    await server.publish();
    const given = { envoys, seconds: options.seconds, ...parts, generators };
    const measured = await measureMachine(server, given);
    return planReport(options, measured, limitsOf(directory), about);
  } finally {
    parts.progress.clear();
    await Promise.all(generators.map((generator) => generator.close()));
    await server.stop();
    if (keep === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

export function planReport(
  options: Omit<PlanOptions, 'workDirectory'>,
  measured: Measured,
  limits: Machine,
  about: Provenance,
): PlanReport {
  const { envoys, interval_s, changed, seconds } = options;
  const fleet = { envoys, interval_s, changed };
  const { model } = measured;
  const uses = usesOf(model, fleet, limits);
  const binds_first = bindingOf(uses);
  return {
    mode: 'plan',
    options: { ...fleet, seconds },
    ...about,
    limits,
    verify_us: measured.verify_us,
    measured,
    answer: {
      fits: uses[binds_first] <= 1,
      headroom: 1 / uses[binds_first],
      binds_first,
      needs: needsOf(model, fleet),
      uses,
      carries_envoys: carries(model, fleet, limits),
      restart_s: restartSeconds(model, fleet, limits),
      hardware: hardwareFor(model, fleet),
    },
    table: intervalsS.map((interval) => {
      const rhythm = { interval_s: interval, changed };
      const most = carries(model, rhythm, limits);
      const at = usesOf(model, { ...rhythm, envoys: most + 1 }, limits);
      return { interval_s: interval, carries_envoys: most, binds_first: bindingOf(at) };
    }),
  };
}

function limitsOf(directory: string): Machine {
  const { bavail, bsize } = statfsSync(directory);
  return {
    cores: availableParallelism(),
    memory_kb: totalmem() / 1024,
    open_files: Math.min(openFilesMax(), 2 ** 30),
    disk_bytes: bavail * bsize,
  };
}
