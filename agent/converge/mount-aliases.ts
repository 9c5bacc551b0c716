import type { Platform } from '../platform/platform.ts';
import { PlatformError } from '../platform/platform-error.ts';

const mountLimit = 10_000;
const tableLimit = 16 * 1024 * 1024;

interface Mount {
  /** "major:minor" of the file system. */
  readonly device: string;
  /** Directory of the file system that is seen at the mount point. */
  readonly root: string;
  readonly point: string;
}

/**
 * The other names that bind mounts give to a real path: links are followed by resolving, these are
 * not. One read of the mount table; the rest is text.
 */
export class MountAliases {
  /** As in the table: of two mounts at one place the later one is seen. */
  readonly #mounts: readonly Mount[];

  constructor(table: string) {
    this.#mounts = table
      .split('\n')
      .slice(0, mountLimit)
      .flatMap((line) => parseMount(line));
  }

  /** Without a mount table (another system, a confined root) a path has no other names. */
  static async read({ files, paths }: Platform): Promise<MountAliases> {
    if (paths.confined) return new MountAliases('');
    try {
      const table = await files.read(await paths.resolve('/proc/self/mountinfo'), tableLimit);
      return new MountAliases(new TextDecoder().decode(table));
    } catch (thrown) {
      const missing = ['ENOENT', 'ENOTDIR', 'EINVAL', 'ELOOP'];
      if (thrown instanceof PlatformError && missing.includes(thrown.code))
        return new MountAliases('');
      throw thrown;
    }
  }

  /** Absolute paths, without `path` itself. */
  of(path: string): string[] {
    const own = this.#holding(path);
    if (own === undefined) return [];
    const inside = join(own.root, below(path, own.point)!);
    return this.#mounts.flatMap(({ device, root, point }) => {
      const rest = device === own.device ? below(inside, root) : undefined;
      const name = rest === undefined ? path : join(point, rest);
      return name === path ? [] : [name];
    });
  }

  /** Places below a path where something else is mounted: removing a tree goes on into them. */
  pointsBelow(path: string): string[] {
    const start = path === '/' ? '/' : `${path}/`;
    return this.#mounts.map(({ point }) => point).filter((point) => point.startsWith(start));
  }

  #holding(path: string): Mount | undefined {
    let best: Mount | undefined;
    for (const mount of this.#mounts)
      if (below(path, mount.point) !== undefined && mount.point.length >= (best?.point.length ?? 0))
        best = mount;
    return best;
  }
}

/** "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw", see proc_pid_mountinfo(5). */
function parseMount(line: string): Mount[] {
  const [, , device, root, point] = line.split(' ');
  if (device === undefined || root === undefined || point === undefined) return [];
  return [{ device, root: plain(root), point: plain(point) }];
}

/** The table writes space, tab, line break and backslash as octal numbers. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** What of `path` is below `directory`: "" for itself, undefined when it is elsewhere. */
function below(path: string, directory: string): string | undefined {
  if (path === directory) return '';
  if (directory === '/') return path;
  return path.startsWith(`${directory}/`) ? path.slice(directory.length) : undefined;
}

function join(directory: string, rest: string): string {
  if (rest === '') return directory;
  return directory === '/' ? rest : `${directory}${rest}`;
}
