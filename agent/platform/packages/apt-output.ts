/** Name -> candidate version of `apt-cache policy name...`; packages without a candidate are left out. */
export function parsePolicy(text: string): ReadonlyMap<string, string> {
  const candidates = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split('\n')) {
    const heading = /^([^\s:]+(?::[^\s:]+)?):$/.exec(line);
    if (heading !== null) name = heading[1];
    const candidate = /^ {2}Candidate: (\S+)$/.exec(line)?.[1];
    if (name !== undefined && candidate !== undefined && candidate !== '(none)')
      candidates.set(name, candidate);
  }
  return candidates;
}

/** Name -> new version of the "Inst" lines of `apt-get -s upgrade`. */
export function parseSimulation(text: string): ReadonlyMap<string, string> {
  const upgrades = new Map<string, string>();
  for (const match of text.matchAll(/^Inst (\S+)(?: \[[^\]]*\])? \((\S+) /gm))
    upgrades.set(match[1]!, match[2]!);
  return upgrades;
}

/** Names in /var/lib/apt/extended_states that were installed as dependencies. */
export function parseAutomatic(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const stanza of text.split(/\n\n+/)) {
    const name = /^Package: (\S+)$/m.exec(stanza)?.[1];
    if (name !== undefined && /^Auto-Installed: 1$/m.test(stanza)) names.add(name);
  }
  return names;
}
