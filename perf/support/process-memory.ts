import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { processCpuUs } from '../../bench/fleet/process-cost.ts';

const lookMs = 1_000;
/** Seconds in a row that must be quiet. */
const quietLooks = 3;
const quietShare = 0.05;
const limitMs = 180_000;

export interface ProcessMemory {
  readonly rssMb: number;
  /** The process's own. */
  readonly anonymousMb: number;
  /** Mapped files. */
  readonly fileMb: number;
  readonly peakMb: number;
}

/** Memory of a process once it does nothing (below 5 % of a core for some seconds). */
export async function settledMemory(pid: number): Promise<ProcessMemory> {
  let quiet = 0;
  for (let waitedMs = 0; quiet < quietLooks && waitedMs < limitMs; waitedMs += lookMs) {
    const beforeUs = processCpuUs(pid);
    await sleep(lookMs);
    quiet = processCpuUs(pid) - beforeUs < quietShare * lookMs * 1_000 ? quiet + 1 : 0;
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string): number => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return Math.round(Number(kilobytes) / 1024);
  };
  return {
    rssMb: megabytes('VmRSS'),
    anonymousMb: megabytes('RssAnon'),
    fileMb: megabytes('RssFile') + megabytes('RssShmem'),
    peakMb: megabytes('VmHWM'),
  };
}
