/** Where the versionlock of dnf 4, of dnf 5 and of yum keep what they hold. */
export const lockPaths = [
  '/etc/dnf/plugins/versionlock.list',
  '/etc/dnf/versionlock.toml',
  '/etc/yum/pluginconf.d/versionlock.list',
] as const;

/** Names of packages -> the versions that they are kept at. */
export type PackageLocks = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Reads the lists of versionlock: "name-epoch:version-release.*" a line (dnf 4),
 * "epoch:name-version-release.*" (yum), or tables of TOML (dnf 5). Lines with "!" exclude.
 */
export function parseLocks(texts: readonly string[]): PackageLocks {
  const locks = new Map<string, Set<string>>();
  for (const [name, version] of texts.flatMap(lockedVersions))
    locks.set(name, (locks.get(name) ?? new Set()).add(version));
  return locks;
}

type Lock = readonly [name: string, version: string];

function lockedVersions(text: string): Lock[] {
  if (/^\[\[packages\]\]/m.test(text)) return tomlLocks(text);
  return text.split('\n').flatMap((line) => {
    const lock = line.trim().replace(/\.[^.]*$/, '');
    if (/^[#!]/.test(lock)) return [];
    const dnf = /^(.+)-(\d+):([^:-]+-[^:-]+)$/.exec(lock);
    if (dnf !== null) return [named(dnf[1]!, dnf[2]!, dnf[3]!)];
    const yum = /^(\d+):(.+)-([^:-]+-[^:-]+)$/.exec(lock);
    return yum === null ? [] : [named(yum[2]!, yum[1]!, yum[3]!)];
  });
}

/** One table per package; each condition that is "evr = ..." is a lock. */
function tomlLocks(text: string): Lock[] {
  return text
    .split(/^\[\[packages\]\]$/m)
    .slice(1)
    .flatMap((table) => {
      const name = /^name\s*=\s*"([^"]*)"/m.exec(table)?.[1];
      const conditions = table.split(/^\[\[packages\.conditions\]\]$/m).slice(1);
      return conditions.flatMap((condition) => {
        const field = (key: string) =>
          new RegExp(`^${key}\\s*=\\s*"([^"]*)"`, 'm').exec(condition)?.[1];
        const value = field('value');
        const exact = field('key') === 'evr' && ['=', '=='].includes(field('comparator') ?? '');
        if (!exact || name === undefined || value === undefined) return [];
        return [[name, value.replace(/^0:/, '')]];
      });
    });
}

function named(name: string, epoch: string, version: string): Lock {
  return [name, epoch === '0' ? version : `${epoch}:${version}`];
}
