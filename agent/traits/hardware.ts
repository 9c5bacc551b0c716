import type { TraitCollector, TraitSource } from './collector.ts';
import { readMachineFile } from './machine-file.ts';
import { parseMeminfo } from './memory.ts';

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
  const mounts = parseMounts((await readMachineFile(platform, '/proc/self/mounts')) ?? '');
  const sizes: Record<string, number> = {};
  for (const path of mounts) {
    const { totalBytes } = await platform.host.fileSystemSize(path);
    sizes[path] = Math.round((totalBytes * 10) / bytesPerGigabyte) / 10;
  }
  return sizes;
}

/** Mount points of real storage in proc_mounts(5), sorted; of each device the first one only. */
export function parseMounts(text: string): readonly string[] {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [device, path, type] = line.split(' ');
    if (device === undefined || path === undefined || !fileSystems.has(type ?? '')) continue;
    if (type === 'overlay' && path !== '/') continue;
    if (paths.size < mountLimit && !paths.has(device)) paths.set(device, octalToText(path));
  }
  return [...paths.values()].sort();
}

function octalToText(path: string): string {
  return path.replace(/\\(\d{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
