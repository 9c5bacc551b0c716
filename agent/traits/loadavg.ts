import type { TraitCollector } from './collector.ts';
import { readMachineLine } from './machine-file.ts';

const pattern = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) (\d+)\/(\d+)/;

/** loadavg.load1, load5, load15, running and total by proc_loadavg(5). */
export const loadavgCollector: TraitCollector = {
  name: 'loadavg',
  collect: async ({ platform }) => {
    const line = await readMachineLine(platform, '/proc/loadavg');
    if (line === undefined) return undefined;
    const match = pattern.exec(line);
    if (match === null) throw new Error(`/proc/loadavg: ${line.slice(0, 80)}`);
    const [load1, load5, load15, running, total] = match.slice(1).map(Number);
    return { load1: load1!, load5: load5!, load15: load15!, running: running!, total: total! };
  },
};
