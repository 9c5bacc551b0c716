import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { processCpuUs, processRssKb } from '../fleet/process-cost.ts';

/** One look at the run. */
export interface Sample {
  /** Seconds since the first sample. */
  readonly s: number;
  /** Cores that were busy since the sample before: the server, vigobench, everything else. */
  readonly server_cores: number;
  readonly generator_cores: number;
  readonly other_cores: number;
  readonly rss_mb: number;
  readonly connected: number;
  readonly checkins_per_second: number;
  readonly missed_per_second: number;
  readonly reports_per_second: number;
  /** Of the generator's busiest thread, 0 to 1. */
  readonly generator_utilization: number;
  /** Sizes of the server's stores and of its database with its log. */
  readonly lmdb_mb: number;
  readonly sqlite_mb: number;
}

export interface Sampled {
  readonly pid: number;
  readonly home: string;
  readonly connected: number;
  readonly done: number;
  readonly missed: number;
  readonly reports: number;
  readonly utilization: number;
}

/** Beyond this many, every second one is dropped and the pace halved. */
const samplesMax = 600;
const firstPaceMs = 1000;

/** Takes a sample now and then, cheaply. */
export class Sampler {
  readonly #read: () => Sampled;
  readonly #beganMs = performance.now();
  #samples: Sample[] = [];
  #paceMs = firstPaceMs;
  #before: Raw | undefined;

  constructor(read: () => Sampled) {
    this.#read = read;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Does nothing until its time has come. */
  tick(): void {
    const nowMs = performance.now();
    if (this.#before !== undefined && nowMs - this.#before.atMs < this.#paceMs) return;
    const raw = readRaw(this.#read(), nowMs);
    if (this.#before !== undefined && raw !== undefined) {
      this.#samples.push(sampleOf(this.#before, raw, (nowMs - this.#beganMs) / 1000));
    }
    this.#before = raw;
    if (this.#samples.length < samplesMax) return;
    this.#samples = this.#samples.filter((_, at) => at % 2 === 1);
    this.#paceMs *= 2;
  }
}

interface Raw extends Sampled {
  readonly atMs: number;
  readonly serverUs: number;
  readonly ownUs: number;
  readonly machineUs: number;
  readonly rssKb: number;
  readonly lmdbBytes: number;
  readonly sqliteBytes: number;
}

/** Undefined while the server is away. */
function readRaw(sampled: Sampled, atMs: number): Raw | undefined {
  try {
    const { user, system } = process.cpuUsage();
    return {
      ...sampled,
      atMs,
      serverUs: processCpuUs(sampled.pid),
      ownUs: user + system,
      machineUs: machineCpuUs(),
      rssKb: processRssKb(sampled.pid),
      ...homeBytes(sampled.home),
    };
  } catch {
    return undefined;
  }
}

function sampleOf(before: Raw, now: Raw, s: number): Sample {
  const passedMs = now.atMs - before.atMs;
  const perSecond = (count: number) => round((Math.max(0, count) * 1000) / passedMs, 1);
  const cores = (us: number) => round(Math.max(0, us) / 1000 / passedMs, 3);
  const samePid = now.pid === before.pid;
  const server = samePid ? now.serverUs - before.serverUs : now.serverUs;
  const own = now.ownUs - before.ownUs;
  return {
    s: round(s, 1),
    server_cores: cores(server),
    generator_cores: cores(own),
    other_cores: cores(now.machineUs - before.machineUs - server - own),
    rss_mb: round(now.rssKb / 1024, 1),
    connected: now.connected,
    checkins_per_second: perSecond(now.done - before.done),
    missed_per_second: perSecond(now.missed - before.missed),
    reports_per_second: perSecond(now.reports - before.reports),
    generator_utilization: round(now.utilization, 3),
    lmdb_mb: round(now.lmdbBytes / 2 ** 20, 2),
    sqlite_mb: round(now.sqliteBytes / 2 ** 20, 2),
  };
}

/** Busy time of all cores since the start, microseconds (proc(5), /proc/stat; ticks of 10 ms). */
export function machineCpuUs(): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line
    .replace(/^cpu\s+/, '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq) * 10_000;
}

/** What the stores and the database occupy on disk, bytes. */
export function homeBytes(home: string): { lmdbBytes: number; sqliteBytes: number } {
  return { lmdbBytes: bytesBelow(join(home, 'state')), sqliteBytes: sqlite(home) };
}

function sqlite(home: string): number {
  return ['db/vigo.db', 'db/vigo.db-wal'].reduce((sum, name) => sum + bytesOf(join(home, name)), 0);
}

function bytesBelow(directory: string): number {
  let sum = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sum += bytesOf(join(entry.parentPath, entry.name));
  }
  return sum;
}

/** What is allocated, since LMDB's files have holes; 0 when there is none. */
function bytesOf(file: string): number {
  return (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

export function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
