/** A directory of pacman's local database is called name-version-release. */
export function parseLocalName(
  directory: string,
): { readonly name: string; readonly version: string } | undefined {
  const match = /^(.+)-([^-]+-[^-]+)$/.exec(directory);
  return match === null ? undefined : { name: match[1]!, version: match[2]! };
}

/** True when a "desc" file of the local database says that the package came as a dependency. */
export function isDependency(desc: string): boolean {
  return /^%REASON%\n1$/m.test(desc);
}

/** Name -> version of `pacman -Sl`; of a name that several repositories have, the first counts. */
export function parseSyncList(text: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, version] = line.split(' ');
    if (name && version && !versions.has(name)) versions.set(name, version);
  }
  return versions;
}

/** Name -> new version of `pacman -Qu`, without those that are held. */
export function parsePacmanUpgrades(text: string): ReadonlyMap<string, string> {
  const upgrades = new Map<string, string>();
  for (const match of text.matchAll(/^(\S+) \S+ -> (\S+)$/gm)) upgrades.set(match[1]!, match[2]!);
  return upgrades;
}

/** For pacman letters right after digits come before the release ("1.0rc" < "1.0"): "~" for rpm. */
export function comparablePacman(version: string): string {
  return version.replace(/(?<=\d)(?=[a-zA-Z])/g, '~');
}

const ignoreLine = /^(\s*IgnorePkg\s*=)(.*)$/;

/** Names in IgnorePkg of the section [options] of pacman.conf(5). */
export function parseIgnored(text: string): ReadonlySet<string> {
  const names = optionLines(text).flatMap(({ line }) => {
    const list = ignoreLine.exec(line)?.[2];
    return list === undefined ? [] : list.split(/\s+/).filter((name) => name !== '');
  });
  return new Set(names);
}

/** The text with these names in IgnorePkg, in a line of their own at the head of [options]. */
export function withIgnored(text: string, names: readonly string[]): string {
  const known = parseIgnored(text);
  const missing = names.filter((name) => !known.has(name));
  if (missing.length === 0) return text;
  const line = `IgnorePkg = ${missing.join(' ')}`;
  const lines = text.split('\n');
  const head = lines.findIndex((one) => one.trim() === '[options]');
  if (head === -1) return `[options]\n${line}\n${text}`;
  return [...lines.slice(0, head + 1), line, ...lines.slice(head + 1)].join('\n');
}

/** The text without these names in IgnorePkg; a line that is left empty goes. */
export function withoutIgnored(text: string, names: readonly string[]): string {
  const lines: (string | undefined)[] = text.split('\n');
  for (const { line, at } of optionLines(text)) {
    const [, start, list] = ignoreLine.exec(line) ?? [];
    if (start === undefined || list === undefined) continue;
    const before = list.split(/\s+/).filter((name) => name !== '');
    const kept = before.filter((name) => !names.includes(name));
    if (kept.length === before.length) continue;
    lines[at] = kept.length === 0 ? undefined : `${start} ${kept.join(' ')}`;
  }
  return lines.filter((line) => line !== undefined).join('\n');
}

function optionLines(text: string): { readonly line: string; readonly at: number }[] {
  let section = '';
  return text.split('\n').flatMap((line, at) => {
    const heading = /^\s*\[(.+)\]\s*$/.exec(line)?.[1];
    if (heading !== undefined) section = heading;
    return section === 'options' ? [{ line, at }] : [];
  });
}
