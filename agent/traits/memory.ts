import type { TraitCollector } from './collector.ts';
import { readMachineFile } from './machine-file.ts';

/** Amounts that move all the time are renewed only when the use has moved by this much of the total. */
const stepPercent = 10;

interface MemoryUse {
  readonly total_bytes: number;
  readonly free_bytes: number;
  readonly available_bytes: number;
  readonly used_bytes: number;
  readonly buffers_bytes: number;
  readonly cached_bytes: number;
  readonly percent: number;
}

/**
 * Memory in bytes. total_bytes is exact; the other values are those of the last time that `percent`
 * (used, 0 to 100) had moved by 10 or more, so that the traits document stays the same between
 * passes. Each collector keeps its own last values.
 */
export function createMemoryCollector(): TraitCollector {
  let reported: MemoryUse | undefined;
  return {
    name: 'memory',
    collect: async ({ platform }) => {
      const text = await readMachineFile(platform, '/proc/meminfo');
      if (text === undefined) return undefined;
      const now = memoryUse(parseMeminfo(text));
      const same =
        reported?.total_bytes === now.total_bytes &&
        Math.abs(reported.percent - now.percent) < stepPercent;
      if (!same) reported = now;
      return { ...reported };
    },
  };
}

function memoryUse(fields: ReadonlyMap<string, number>): MemoryUse {
  const total = fields.get('MemTotal') ?? 0;
  const free = fields.get('MemFree') ?? 0;
  const available = fields.get('MemAvailable') ?? free;
  const used = Math.max(0, total - available);
  return {
    total_bytes: total,
    free_bytes: free,
    available_bytes: available,
    used_bytes: used,
    buffers_bytes: fields.get('Buffers') ?? 0,
    cached_bytes: fields.get('Cached') ?? 0,
    percent: total === 0 ? 0 : Math.round((used * 100) / total),
  };
}

/** proc_meminfo(5): name -> bytes. */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const fields = new Map<string, number>();
  for (const match of text.matchAll(/^([A-Za-z0-9_()]+):\s+(\d+) kB$/gm))
    fields.set(match[1]!, Number(match[2]) * 1024);
  return fields;
}
