import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { TraitCollector } from './collector.ts';
import { type Mount, readMounts, sizeOf } from './mounts.ts';
import { isMap, movedAStep, percentUp, sameValue, without } from './values.ts';

const use = ['size_bytes', 'used_bytes', 'available_bytes', 'percent'];

/** mountpoints by path. */
export const mountpointsCollector: TraitCollector = {
  name: 'mountpoints',
  collect: async ({ platform }) => {
    const mounts = await readMounts(platform);
    const entries = mounts.map(async (one) => [one.path, await describe(platform, one)] as const);
    return Object.fromEntries(await Promise.all(entries));
  },
  isNews: (told, now) => {
    if (!isMap(told) || !isMap(now)) return true;
    if (!sameValue(without(told, use), without(now, use))) return true;
    return Object.keys(now).some((path) => movedAStep(told[path], now[path]));
  },
};

async function describe(platform: Platform, mount: Mount): Promise<PolicyValue> {
  const { device, type, options } = mount;
  const size = await sizeOf(platform, mount);
  if (size === undefined) return { device, fstype: type, options };
  const { totalBytes, freeBytes, availableBytes = freeBytes } = size;
  const used = totalBytes - freeBytes;
  return {
    device,
    fstype: type,
    options,
    size_bytes: totalBytes,
    used_bytes: used,
    available_bytes: availableBytes,
    percent: percentUp(used, used + availableBytes),
  };
}
