import { BenchError } from '../errors.ts';

/** What one fleet run is. Times in milliseconds. */
export interface FleetOptions {
  readonly envoys: number;
  readonly intervalMs: number;
  readonly durationMs: number;
  /** Time over which the connections are opened; 0 = as this machine allows. */
  readonly rampMs: number;
  /** Share of check-ins that are followed by a report of changes, 0 to 1. */
  readonly changed: number;
  /** Threads of the generator. */
  readonly workers: number;
  /** Fleet shards of the server; 0 = the server's default. */
  readonly shards: number;
  /** Keeps server home, log and identities here and uses them again. */
  readonly workDirectory: string | undefined;
  readonly json: boolean;
}

/** More open files than this are held back for the programs themselves. */
export const envoysMax = 18_000;
const threadsMax = 64;
/** The shortest interval that the server accepts. */
const intervalLeastMs = 1000;
const dayMs = 86_400_000;

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

export function usage(detail: string): BenchError {
  return new BenchError('BENCH_USAGE', detail);
}

/** "5s", "250ms", "2m" -> milliseconds. */
export function parseDuration(text: string, name: string, leastMs = 0): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = match ? Math.round(Number(match[1]) * units[match[2] as keyof typeof units]) : -1;
  if (ms < 0) throw usage(`${name} is a duration such as 5s, 250ms or 2m, not "${text}"`);
  if (ms >= leastMs && ms <= dayMs) return ms;
  throw usage(`${name} is between ${leastMs} ms and 24h, not "${text}"`);
}

export function parseCount(text: string, name: string, max: number): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= max) return count;
  throw usage(`${name} is a whole number from 1 to ${max}, not "${text}"`);
}

/** "10%" or "0.1" -> 0.1. */
export function parseShare(text: string, name: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : -1;
  if (share >= 0 && share <= 1) return share;
  throw usage(`${name} is a share such as 10% or 0.1, not "${text}"`);
}

/** The words of the command line, as commander names them. */
export interface RawFleetOptions {
  readonly envoys: string;
  readonly interval: string;
  readonly duration: string;
  readonly ramp: string;
  readonly changed: string;
  readonly workers: string;
  readonly shards?: string;
  readonly workDir?: string;
  readonly json?: boolean;
}

/** Throws BENCH_USAGE. */
export function parseFleetOptions(raw: RawFleetOptions): FleetOptions {
  const envoys = parseCount(raw.envoys, '--envoys', envoysMax);
  const workers = parseCount(raw.workers, '--workers', threadsMax);
  if (workers > envoys) throw usage(`${workers} generator threads share ${envoys} envoys`);
  return {
    envoys,
    intervalMs: parseDuration(raw.interval, '--interval', intervalLeastMs),
    durationMs: parseDuration(raw.duration, '--duration', intervalLeastMs),
    rampMs: parseDuration(raw.ramp, '--ramp'),
    changed: parseShare(raw.changed, '--changed'),
    workers,
    shards: raw.shards === undefined ? 0 : parseCount(raw.shards, '--shards', threadsMax),
    workDirectory: raw.workDir,
    json: raw.json === true,
  };
}

/** Which identities each generator thread plays: as even as it goes, none twice, none left out. */
export function partOf(envoys: number, workers: number, index: number): [from: number, to: number] {
  const bound = (at: number) => Math.floor((envoys * at) / workers);
  return [bound(index), bound(index + 1)];
}
