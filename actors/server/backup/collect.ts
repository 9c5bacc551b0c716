import { lstat, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { HomeLayout } from '../home/layout.ts';

/** A file of the home that belongs into a backup. */
export interface HomeFile {
  /** Relative to the home, with slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly mode: number;
  /** Another text whenever the content may be another. */
  readonly version: string;
}

export interface CollectOptions {
  readonly layout: HomeLayout;
  /** Absolute; below the home. It is copied by the database itself. */
  readonly database: string;
  /** Absolute; below the home when they belong into the backup. */
  readonly secretsDirectory: string;
  readonly agents: boolean;
}

const depthMax = 32;
/** Files of one backup. */
const filesMax = 1_000_000;
/** Drafts of a write that is under way, or that a kill left; people may call files of the stack so. */
const unfinished = /(\.draft|\.new|\.part)$/;

/**
 * What a home consists of, as it is now: settings, keys, certificates, the stack, the live copy and the
 * secrets. What a server makes anew (the state, the lock) is left out. A link to a file counts as the file;
 * one to a directory is not followed.
 */
export async function collectHome(options: CollectOptions): Promise<HomeFile[]> {
  const { layout, secretsDirectory, agents } = options;
  const roots = [
    layout.configFile,
    layout.marker,
    layout.stacksDirectory,
    layout.liveDirectory,
    layout.tlsDirectory,
    layout.keysDirectory,
    secretsDirectory,
    ...(agents ? [layout.agentsDirectory] : []),
  ];
  const found = new Map<string, HomeFile>();
  for (const root of new Set(roots)) {
    if (homePath(layout, root) !== undefined) await walk(layout, root, 0, found);
  }
  for (const name of ['', '-wal', '-shm', '-journal']) {
    found.delete(homePath(layout, `${options.database}${name}`) ?? '');
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One text for all of them: the same as long as no file changed. */
export function fingerprint(files: readonly HomeFile[]): string {
  return files.map(({ path, version }) => `${path}\0${version}`).join('\n');
}

/** The path below the home, with slashes; undefined for what stands elsewhere. */
export function homePath(layout: HomeLayout, absolute: string): string | undefined {
  const path = relative(layout.root, absolute);
  if (path === '' || path === '..' || path.startsWith(`..${sep}`)) return undefined;
  return path.split(sep).join('/');
}

async function walk(
  layout: HomeLayout,
  absolute: string,
  depth: number,
  found: Map<string, HomeFile>,
): Promise<void> {
  const stats = await lstat(absolute, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const path = homePath(layout, absolute);
  if (stats === undefined || path === undefined) return;
  if (stats.isDirectory()) {
    if (depth >= depthMax) throw new Error(`${path} is more than ${depthMax} directories deep`);
    const names = await readdir(absolute);
    for (const name of names.sort()) await walk(layout, join(absolute, name), depth + 1, found);
    return;
  }
  // Copied as what it leads to.
  const target = stats.isSymbolicLink()
    ? await stat(absolute, { bigint: true }).catch(() => undefined)
    : stats;
  if (target === undefined || !target.isFile()) return;
  if (unfinished.test(path) && !absolute.startsWith(`${layout.stacksDirectory}/`)) return;
  if (found.size >= filesMax) throw new Error(`the home has more than ${filesMax} files`);
  const version = [target.ino, target.size, target.mtimeNs, target.ctimeNs].join('.');
  const mode = Number(target.mode & 0o777n) === 0o644 ? 0o644 : 0o600;
  found.set(path, { path, bytes: Number(target.size), mode, version });
}
