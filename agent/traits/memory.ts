import type { TraitCollector } from './collector.ts';
import { readMachineFile } from './machine-file.ts';
import { isMap, movedAStep } from './values.ts';

/** memory.*, all but percent in bytes. */
export const memoryCollector: TraitCollector = {
  name: 'memory',
  collect: async ({ platform }) => {
    const text = await readMachineFile(platform, '/proc/meminfo');
    return text === undefined ? undefined : memoryUse(parseMeminfo(text));
  },
  isNews: (told, now) => {
    if (!isMap(told) || !isMap(now)) return true;
    return told.total_bytes !== now.total_bytes || movedAStep(told, now);
  },
};

function memoryUse(fields: ReadonlyMap<string, number>) {
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
