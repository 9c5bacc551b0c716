import type { TraitCollector, TraitSource } from './collector.ts';
import { readMachineFile } from './machine-file.ts';
import { parseMeminfo } from './memory.ts';
import { type Mount, parseMountTable, sizeOf } from './mounts.ts';

const mountLimit = 64;
const bytesPerGigabyte = 1024 ** 3;

/** File systems on real storage; the network and the kernel's own ones are left out. */
const fileSystems = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'vfat',
  'ntfs3',
  'overlay',
]);

/** hardware.cpu_count, memory_mb (MiB) and disks: mount point -> size in GiB, one decimal. */
export const hardwareCollector: TraitCollector = {
  name: 'hardware',
  collect: async (source) => {
    const processors = await readMachineFile(source.platform, '/proc/cpuinfo');
    const memory = await readMachineFile(source.platform, '/proc/meminfo');
    if (processors === undefined || memory === undefined) return undefined;
    const total = parseMeminfo(memory).get('MemTotal') ?? 0;
    return {
      cpu_count: processors.match(/^processor\s*:/gm)?.length ?? 1,
      memory_mb: Math.floor(total / 1024 ** 2),
      disks: await disks(source),
    };
  },
};

async function disks({ platform }: TraitSource): Promise<Record<string, number>> {
  const mounts = diskMounts((await readMachineFile(platform, '/proc/self/mounts')) ?? '');
  const sizes: Record<string, number> = {};
  for (const mount of mounts) {
    const size = await sizeOf(platform, mount);
    if (size === undefined) continue;
    sizes[mount.path] = Math.round((size.totalBytes * 10) / bytesPerGigabyte) / 10;
  }
  return sizes;
}

/** Mounts of real storage in proc_mounts(5) by path; of each device the first one only. */
export function diskMounts(text: string): readonly Mount[] {
  const mounts = new Map<string, Mount>();
  for (const mount of parseMountTable(text)) {
    const { device, path, type } = mount;
    if (!fileSystems.has(type) || (type === 'overlay' && path !== '/')) continue;
    if (mounts.size < mountLimit && !mounts.has(device)) mounts.set(device, mount);
  }
  return [...mounts.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
