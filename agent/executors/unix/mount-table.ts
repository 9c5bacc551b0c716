import { unescapeOctal } from './fstab.ts';

/** What is mounted at a path, by /proc/self/mountinfo (proc(5)). */
export interface Mounted {
  readonly path: string;
  readonly device: string;
  readonly type: string;
  /** Part of the file system that is mounted there; other than "/" for a bind mount. */
  readonly root: string;
  /** Of the mount and of the file system together. */
  readonly options: ReadonlySet<string>;
}

/** The mount on top at each path. */
export function parseMountinfo(text: string): ReadonlyMap<string, Mounted> {
  const found = new Map<string, Mounted>();
  for (const line of text.split('\n')) {
    const words = line.split(' ');
    const dash = words.indexOf('-', 6);
    if (dash === -1 || words.length < dash + 3) continue;
    const path = unescapeOctal(words[4]!);
    found.set(path, {
      path,
      root: unescapeOctal(words[3]!),
      type: words[dash + 1]!,
      device: unescapeOctal(words[dash + 2]!),
      options: new Set([...words[5]!.split(','), ...(words[dash + 3] ?? '').split(',')]),
    });
  }
  return found;
}

/** Options that the kernel shows as they were given; of the others only the table is compared. */
const flags = new Map([
  ['ro', 'rw'],
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
  ['noexec', 'exec'],
  ['noatime', 'atime'],
  ['nodiratime', 'diratime'],
  ['sync', 'async'],
]);

/** Declared flags that the mount does not have: "noexec", or "rw" of one that is read-only. */
export function missingOptions(declared: string, mounted: Mounted): string[] {
  const given = declared.split(',');
  return [...flags].flatMap(([flag, opposite]) => {
    const wants = given.lastIndexOf(flag) > given.lastIndexOf(opposite);
    const refuses = given.lastIndexOf(opposite) > given.lastIndexOf(flag);
    const has = mounted.options.has(flag);
    if (wants && !has) return [flag];
    return refuses && has ? [opposite] : [];
  });
}
