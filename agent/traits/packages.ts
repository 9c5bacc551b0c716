import { dpkgStatusPath, parseDpkgStatus } from '../platform/packages/dpkg-database.ts';
import type { Platform } from '../platform/platform.ts';
import type { TraitCollector } from './collector.ts';
import { readMachineFile } from './machine-file.ts';
import { sameValue } from './values.ts';

const packageLimit = 20_000;

type Versions = Readonly<Record<string, string>>;

/** The installed packages; undefined where there is no such database. Parses it only when it changed. */
export type PackageReader = (platform: Platform) => Promise<Versions | undefined>;

export function createPackageReader(): PackageReader {
  let known: { stamp: string; versions: Versions } | undefined;
  return async (platform) => {
    const status = await platform.files.status(dpkgStatusPath);
    if (status?.kind !== 'file') return undefined;
    const stamp = `${status.inode}:${status.size}:${status.modifiedMs}`;
    if (known?.stamp !== stamp) {
      const text = (await readMachineFile(platform, dpkgStatusPath)) ?? '';
      known = { stamp, versions: installedVersions(text) };
    }
    return known.versions;
  };
}

/** packages: name -> version of every installed package. */
export function createPackagesCollector(read: PackageReader): TraitCollector {
  return {
    name: 'packages',
    collect: ({ platform }) => read(platform),
    isNews: (told, now) => !sameValue(told, now),
  };
}

function installedVersions(text: string): Versions {
  const installed = [...parseDpkgStatus(text)]
    .filter(([name, record]) => record.status === 'installed' && name === record.name)
    .slice(0, packageLimit);
  return Object.fromEntries(installed.map(([name, record]) => [name, record.version]));
}
