import { readdirSync, readFileSync, statfsSync } from 'node:fs';

/** What the operating system knows of the process, Linux; undefined where it does not tell. */
export interface ProcessFigures {
  readonly openFiles: number | undefined;
  readonly openFilesLimit: number | undefined;
  readonly virtualBytes: number | undefined;
  /** Free for this user, where the server home is. */
  readonly diskFreeBytes: number | undefined;
}

export function readProcessFigures(home: string): ProcessFigures {
  return {
    openFiles: known(() => readdirSync('/proc/self/fd').length),
    openFilesLimit: known(() =>
      Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]),
    ),
    virtualBytes: known(
      () => 1024 * Number(/^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]),
    ),
    diskFreeBytes: known(() => {
      const { bavail, bsize } = statfsSync(home);
      return bavail * bsize;
    }),
  };
}

function known(read: () => number): number | undefined {
  try {
    const value = read();
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
