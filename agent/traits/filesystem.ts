import type { PolicyValue } from '../protocol/bundle.ts';
import type { TraitCollector } from './collector.ts';
import { readMachineFile } from './machine-file.ts';
import { readMounts, sizeOf } from './mounts.ts';
import { isMap, movedAStep, percentUp, sameValue, sortedTexts } from './values.ts';

/** filesystem.supported and inodes by mount point; file systems without a fixed number are left out. */
export const filesystemCollector: TraitCollector = {
  name: 'filesystem',
  collect: async ({ platform }) => {
    const known = (await readMachineFile(platform, '/proc/filesystems')) ?? '';
    const types = known.split('\n').filter((line) => line.startsWith('\t'));
    const inodes: Record<string, PolicyValue> = {};
    for (const mount of await readMounts(platform)) {
      const { inodes: total = 0, freeInodes = 0 } = (await sizeOf(platform, mount)) ?? {};
      const used = total - freeInodes;
      if (total > 0) inodes[mount.path] = { total, used, percent: percentUp(used, total) };
    }
    return { supported: sortedTexts(types.map((line) => line.trim())), inodes };
  },
  isNews: (told, now) => {
    if (!isMap(told) || !isMap(now) || !sameValue(told.supported, now.supported)) return true;
    const { inodes: before } = told;
    const { inodes: after } = now;
    if (!isMap(before) || !isMap(after)) return true;
    const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...paths].some((path) => movedAStep(before[path], after[path]));
  },
};
