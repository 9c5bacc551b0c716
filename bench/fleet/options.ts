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
  /** Keeps server home and identities here and uses them again. */
  readonly workDirectory: string | undefined;
  readonly json: boolean;
}

/** More open files than this are held back for the programs themselves. */
export const envoysMax = 18_000;

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** "5s", "250ms", "2m" -> milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (!match) throw new BenchError('BENCH_USAGE', `"${text}" is not a duration like 5s or 2m`);
  return Math.round(Number(match[1]) * units[match[2] as keyof typeof units]);
}

export function parseCount(text: string, name: string, max: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= max) return count;
  throw new BenchError('BENCH_USAGE', `${name} is a whole number from 1 to ${max}, not "${text}"`);
}

/** "10%" or "0.1" -> 0.1. */
export function parseShare(text: string): number {
  const share = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (share >= 0 && share <= 1) return share;
  throw new BenchError('BENCH_USAGE', `"${text}" is not a share like 10% or 0.1`);
}
