import { compareVersions } from './version-order.ts';

/** Name -> newest version of `zypper --xmlout search --details`. */
export function parseSearch(xml: string): ReadonlyMap<string, string> {
  const newest = new Map<string, string>();
  for (const [, attributes] of xml.matchAll(/<solvable ([^>]*)>/g)) {
    const { name, edition, kind } = readAttributes(attributes!);
    if (name === undefined || edition === undefined || kind !== 'package') continue;
    const known = newest.get(name);
    if (known === undefined || compareVersions(known, edition) < 0) newest.set(name, edition);
  }
  return newest;
}

/** Name -> new version of `zypper --xmlout list-updates`. */
export function parseUpdates(xml: string): ReadonlyMap<string, string> {
  const updates = new Map<string, string>();
  for (const [, attributes] of xml.matchAll(/<update ([^>]*)>/g)) {
    const { name, edition, kind } = readAttributes(attributes!);
    if (name !== undefined && edition !== undefined && kind === 'package')
      updates.set(name, edition);
  }
  return updates;
}

/** Names in the table of `zypper packages --unneeded`: status | repository | name | ... */
export function parseUnneeded(table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    return cells.length >= 5 && cells[0]?.startsWith('i') ? [cells[2]!] : [];
  });
}

/** Names of packages that /etc/zypp/locks keeps as they are; globs are taken literally. */
export function parseZypperLocks(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const stanza of text.split(/\n\s*\n/)) {
    const name = /^solvable_name:\s*(\S+)\s*$/m.exec(stanza)?.[1];
    const isPackage = /^type:\s*package\s*$/m.test(stanza);
    if (name !== undefined && isPackage && !/^repo:/m.test(stanza)) names.add(name);
  }
  return names;
}

/** Aliases of the enabled repositories in files of /etc/zypp/repos.d. */
export function parseAliases(text: string): string[] {
  return text.split(/^(?=\[)/m).flatMap((section) => {
    const alias = /^\[([^\]\n]+)\]/.exec(section)?.[1];
    const disabled = /^\s*enabled\s*=\s*(0|no|false|off)\s*$/im.test(section);
    return alias === undefined || disabled ? [] : [alias];
  });
}

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&apos;': "'",
};

function readAttributes(text: string): Partial<Record<string, string>> {
  const attributes: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/([\w-]+)="([^"]*)"/g))
    attributes[name!] = value!.replace(/&\w+;/g, (entity) => entities[entity] ?? entity);
  return attributes;
}
