import type { PackageRecord } from './package-manager.ts';

const packageLimit = 200_000;

/** Parses apk's database (lib/apk/db/installed): stanzas with P: name, V: version, A: architecture. */
export function parseApkDatabase(text: string): ReadonlyMap<string, PackageRecord> {
  const records = new Map<string, PackageRecord>();
  for (const stanza of text.split(/\n\n+/)) {
    const name = /^P:(.+)$/m.exec(stanza)?.[1];
    const version = /^V:(.+)$/m.exec(stanza)?.[1];
    if (name === undefined || version === undefined) continue;
    if (records.size >= packageLimit) break;
    const architecture = /^A:(.+)$/m.exec(stanza)?.[1] ?? '';
    // apk marks what an interrupted operation left ("f:") by what is wrong: files, scripts, hash.
    const status = /^f:.*[fsS]/m.test(stanza) ? 'broken' : 'installed';
    records.set(name, { name, version, architecture, status, held: false });
  }
  return records;
}

/** Names in /etc/apk/world -> the one version that they are kept at, or undefined. */
export function parseWorld(text: string): ReadonlyMap<string, string | undefined> {
  const world = new Map<string, string | undefined>();
  for (const word of text.split(/\s+/)) {
    const match = /^([^!@<>=~][^@<>=~]*)(?:@[^<>=~]+)?(?:=([^=].*))?/.exec(word);
    if (match !== null) world.set(match[1]!, match[2]);
  }
  return world;
}

/** Name -> newer version of `apk version -l '<'`: lines "name-version < newer". */
export function parseNewer(text: string): ReadonlyMap<string, string> {
  const newer = new Map<string, string>();
  for (const match of text.matchAll(/^(\S+)-[^\s-]+-r\d+\s+<\s+(\S+)/gm))
    newer.set(match[1]!, match[2]!);
  return newer;
}

/** Suffixes that come before a release get the "~" that stands for "older" in other managers. */
export function comparable(version: string): string {
  return version.replace(/_(?=alpha|beta|pre|rc)/g, '~');
}
