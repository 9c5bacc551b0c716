import type { Platform } from '../platform.ts';
import { AnswerCache, filesStamp } from './answer-cache.ts';
import type { PackageRecord } from './package-manager.ts';
import type { PackageTool } from './package-tool.ts';

/** The forms that rpm keeps its database in (sqlite, ndb, Berkeley DB), old place and new one. */
export const rpmDatabasePaths = ['/var/lib/rpm', '/usr/lib/sysimage/rpm'].flatMap((directory) =>
  ['rpmdb.sqlite', 'rpmdb.sqlite-wal', 'Packages.db', 'Packages'].map(
    (name) => `${directory}/${name}`,
  ),
);

const rpm = '/usr/bin/rpm';
const format = '%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{INSTALLTIME}\\n';
const packageLimit = 200_000;
/** Keys that rpm trusts are kept in the database as packages of this name. */
const keyName = 'gpg-pubkey';

/** What rpm has installed: asked once for each state of its database, which only rpm can read. */
export class RpmDatabase {
  readonly #tool: PackageTool;
  readonly #cache: AnswerCache;

  constructor(platform: Platform, tool: PackageTool) {
    this.#tool = tool;
    this.#cache = new AnswerCache(() => filesStamp(platform, rpmDatabasePaths));
  }

  installed(): Promise<ReadonlyMap<string, PackageRecord>> {
    return this.#cache.get('installed', async () =>
      parseRpmList((await this.#tool.ask([rpm, '-qa', '--queryformat', format])).stdout),
    );
  }
}

/**
 * Lines of `rpm -qa` in the format above; of packages that may be there several times, as kernels,
 * the one installed last counts. An epoch of 0 is not shown, as rpm itself does not.
 */
export function parseRpmList(text: string): ReadonlyMap<string, PackageRecord> {
  const records = new Map<string, PackageRecord>();
  const times = new Map<string, number>();
  for (const line of text.split('\n').slice(0, packageLimit)) {
    const [name, version, architecture, time] = line.split('\t');
    if (!name || version === undefined || architecture === undefined || name === keyName) continue;
    const record: PackageRecord = {
      name,
      version: version.replace(/^0:/, ''),
      architecture,
      status: 'installed',
      held: false,
    };
    for (const key of [name, `${name}:${architecture}`]) {
      if ((times.get(key) ?? 0) > Number(time)) continue;
      times.set(key, Number(time));
      records.set(key, record);
    }
  }
  return records;
}

/** Lines "name<tab>epoch:version-release" -> the newest version of each name. */
export function parseVersionLines(text: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [name, version] = line.split('\t');
    if (name && version) versions.set(name, version.trim().replace(/^0:/, ''));
  }
  return versions;
}
