import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

let ticksPerSecond: number | undefined;

/** CPU time of all threads of a process, microseconds. */
export interface ProcessCpu {
  readonly userUs: number;
  readonly kernelUs: number;
}

/** User and system time of all threads of a process (proc(5), fields 14 and 15). */
export function processCpu(pid: number): ProcessCpu {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const usPerTick = 1_000_000 / ticksPerSecond;
  return { userUs: Number(fields[11]) * usPerTick, kernelUs: Number(fields[12]) * usPerTick };
}

/** User and system time together, microseconds. */
export function processCpuUs(pid: number): number {
  const { userUs, kernelUs } = processCpu(pid);
  return userUs + kernelUs;
}

/** Resident memory of a process, kilobytes. */
export function processRssKb(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0);
}

/** Files that one process may hold open here (proc(5), limits); Infinity when unlimited. */
export function openFilesMax(): number {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
  return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
