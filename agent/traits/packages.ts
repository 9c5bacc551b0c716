import { dpkgStatusPath, parseDpkgStatus } from '../platform/packages/dpkg-database.ts';
import type { TraitCollector } from './collector.ts';
import { readMachineFile } from './machine-file.ts';

const packageLimit = 20_000;

/** packages: name -> version of every installed package. Read again only when the database changed. */
export function createPackagesCollector(): TraitCollector {
  let known: { stamp: string; versions: Readonly<Record<string, string>> } | undefined;
  return {
    name: 'packages',
    collect: async ({ platform }) => {
      const status = await platform.files.status(dpkgStatusPath);
      if (status?.kind !== 'file') return undefined;
      const stamp = `${status.inode}:${status.size}:${status.modifiedMs}`;
      if (known?.stamp !== stamp) {
        const text = (await readMachineFile(platform, dpkgStatusPath)) ?? '';
        known = { stamp, versions: installedVersions(text) };
      }
      return known.versions;
    },
  };
}

function installedVersions(text: string): Readonly<Record<string, string>> {
  const installed = [...parseDpkgStatus(text)]
    .filter(([name, record]) => record.status === 'installed' && name === record.name)
    .slice(0, packageLimit);
  return Object.fromEntries(installed.map(([name, record]) => [name, record.version]));
}
