import type { FileSystemSize, Platform } from '../platform/platform.ts';
import { PlatformError } from '../platform/platform-error.ts';
import { readMachineFile } from './machine-file.ts';

const mountLimit = 1_000;

export interface Mount {
  readonly device: string;
  readonly path: string;
  readonly type: string;
  readonly options: string;
}

/** Answer at once for their size; what goes over a network or through a daemon may never do. */
const local = new Set(
  (
    'ext2 ext3 ext4 xfs btrfs zfs f2fs vfat exfat ntfs ntfs3 overlay tmpfs squashfs erofs iso9660 ' +
    'udf jfs reiserfs nilfs2 bcachefs hfsplus minix'
  ).split(' '),
);

/** The kernel's own, without anything that a disk or a person put there. */
const pseudo = new Set(
  (
    'proc sysfs devtmpfs devpts cgroup cgroup2 securityfs debugfs tracefs pstore bpf mqueue ' +
    'hugetlbfs configfs fusectl binfmt_misc rpc_pipefs nsfs autofs efivarfs selinuxfs rootfs'
  ).split(' '),
);

/** Come and go with every container. */
const transient =
  /^\/(var\/lib\/(docker|containers|containerd|kubelet)|run\/(containerd|docker|netns))\//;

/** Mounts that people know of; where several are over each other the one on top. */
export async function readMounts(platform: Platform): Promise<readonly Mount[]> {
  const all = parseMountTable((await readMachineFile(platform, '/proc/self/mounts')) ?? '');
  const byPath = new Map<string, Mount>();
  for (const mount of all) {
    if (pseudo.has(mount.type) || transient.test(mount.path)) continue;
    byPath.delete(mount.path);
    if (byPath.size < mountLimit) byPath.set(mount.path, mount);
  }
  return [...byPath.values()];
}

/** Undefined for one that may not answer, that is not for our eyes or that is gone again. */
export async function sizeOf(
  { host }: Platform,
  { path, type }: Mount,
): Promise<FileSystemSize | undefined> {
  if (!local.has(type)) return undefined;
  try {
    return await host.fileSystemSize(path);
  } catch (error) {
    if (error instanceof PlatformError) return undefined;
    throw error;
  }
}

/** proc_mounts(5). */
export function parseMountTable(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [device, path, type, options = ''] = line.split(' ');
    if (device === undefined || path === undefined || type === undefined) return [];
    return [{ device: octalToText(device), path: octalToText(path), type, options }];
  });
}

/** The kernel writes space, tab, line end and backslash as the bytes of their code. */
function octalToText(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
