import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtOnce } from './built-once.ts';

const suite = 'bookworm';
/** What a lab host has beyond the smallest Debian. libstdc++6 is for Node, curl for newcomers. */
export const basePackages: readonly string[] = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'iproute2',
  'procps',
  'cron',
  'libstdc++6',
  'passwd',
  'netbase',
  'curl',
];
const excluded = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*'];
const fallbackMirror = 'http://deb.debian.org/debian';

/** Everything of the lab is below it; the base root in it is built once per machine. */
export function labDirectory(): string {
  return process.env.VIGO_LAB ?? '/tmp/vigo-lab';
}

/** The root that every lab host is an overlay of; made when it is not there (about half a minute). */
export function baseRoot(): string {
  return builtRoot('base', basePackages);
}

/**
 * A Debian root with these packages, built once per machine. `prepare` changes it before it is used;
 * its text is part of the recipe.
 */
export function builtRoot(
  kind: string,
  included: readonly string[],
  prepare?: (root: string) => void,
): string {
  const directory = labDirectory();
  const words = [suite, included, excluded, ...(prepare === undefined ? [] : [String(prepare)])];
  const name = createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 12);
  const base = join(directory, `${kind}-${name}`);
  return builtOnce(base, (work) => {
    const root = join(work, 'root');
    const excludes = excluded.map((path) => `--dpkgopt=path-exclude=${path}`);
    const include = `--include=${included.join(',')}`;
    execFileSync(
      'mmdebstrap',
      ['--quiet', '--variant=minbase', include, ...excludes, suite, root, mirror()],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    prepare?.(root);
    return root;
  });
}

/** The Debian archive that this machine uses itself. */
function mirror(): string {
  for (const path of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    if (!existsSync(path)) continue;
    const text = readFileSync(path, 'utf8');
    const uri = /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(http\S+?)\/?(?:\s|$)/m.exec(text)?.[1];
    if (uri !== undefined) return uri;
  }
  return fallbackMirror;
}
