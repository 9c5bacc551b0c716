import type { PolicyValue } from '../protocol/bundle.ts';
import type { TraitCollector } from './collector.ts';
import { readMachineFile } from './machine-file.ts';
import { isMap, movedAStep, percentUp, sameValue, without } from './values.ts';

interface SwapDevice {
  readonly path: string;
  readonly type: string;
  readonly size_bytes: number;
  readonly used_bytes: number;
  readonly priority: number;
}

const line = /^(\S+)\s+(partition|file)\s+(\d+)\s+(\d+)\s+(-?\d+)$/;
const bytesPerBlock = 1024;

/** swap.total_bytes, used_bytes, free_bytes, percent and devices by proc_swaps(5). */
export const swapCollector: TraitCollector = {
  name: 'swap',
  collect: async ({ platform }) => {
    const text = await readMachineFile(platform, '/proc/swaps');
    if (text === undefined) return undefined;
    const devices = parseSwaps(text);
    const total = devices.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const used = devices.reduce((sum, { used_bytes }) => sum + used_bytes, 0);
    return {
      total_bytes: total,
      used_bytes: used,
      free_bytes: total - used,
      percent: percentUp(used, total),
      devices: devices.map((device) => ({ ...device })),
    };
  },
  isNews: (told, now) => movedAStep(told, now) || !sameValue(fixed(told), fixed(now)),
};

function fixed(value: PolicyValue): PolicyValue {
  return isMap(value) ? without(value.devices ?? [], ['used_bytes']) : value;
}

export function parseSwaps(text: string): readonly SwapDevice[] {
  return text.split('\n').flatMap((one) => {
    const match = line.exec(one.trim());
    if (match === null) return [];
    const [path = '', type = '', ...numbers] = match.slice(1);
    const [size = 0, used = 0, priority = 0] = numbers.map(Number);
    const bytes = { size_bytes: size * bytesPerBlock, used_bytes: used * bytesPerBlock };
    return [{ path, type, ...bytes, priority }];
  });
}
