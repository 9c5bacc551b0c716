import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** A process that holds a socket. */
export interface SocketHolder {
  readonly pid: number;
  readonly uid: number;
}

/**
 * Who listens on a name outside of the file system (unix(7), "abstract"). Undefined when nobody
 * does, or when this process may not see it: only root sees the sockets of other users.
 */
export function socketHolder(name: string): SocketHolder | undefined {
  const inodes = inodesOf(name);
  if (inodes.size === 0) return undefined;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && holds(pid, inodes)) return { pid, uid: ownerOf(pid) ?? -1 };
  }
  return undefined;
}

function inodesOf(name: string): Set<string> {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  const found = lines.map((line) => line.split(' ').filter((word) => word !== ''));
  // The NUL that begins such a name, and any that fill it up, are shown as "@".
  const own = found.filter(([, , , , , , , path]) => path?.replace(/@+$/, '') === `@${name}`);
  return new Set(own.map(([, , , , , , inode]) => `socket:[${inode}]`));
}

function holds(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    const directory = `/proc/${pid}/fd`;
    return readdirSync(directory).some((fd) => inodes.has(linkOf(`${directory}/${fd}`)));
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function ownerOf(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}
