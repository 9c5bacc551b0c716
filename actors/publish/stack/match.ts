import picomatch from 'picomatch';

/** Host names made of these are matched by the index; any others by the globs themselves. */
const plainHost = /^[a-z0-9_][a-z0-9._-]*$/;
const plainPart = /^[a-z0-9._-]*$/;

/** Finds the first entry whose pattern matches a host name; case does not matter. */
export type EntryMatcher = (hostname: string) => number | undefined;

/** The globs of one entry, as picomatch understands them. */
export function patternMatcher(patterns: readonly string[]): (hostname: string) => boolean {
  const matches = picomatch(
    patterns.map((pattern) => pattern.toLowerCase()),
    { dot: true, nonegate: true, noextglob: true },
  );
  return (hostname) => matches(hostname.toLowerCase());
}

/**
 * Literal names, "web-*" and "*.example.com" are looked up, however many there are; of other globs
 * only those are tried that begin like the name, and only those before the best entry found so far.
 */
export function firstMatch(patterns: readonly (readonly string[])[]): EntryMatcher {
  const index = new PatternIndex(patterns.map((own) => own.map((text) => text.toLowerCase())));
  return (hostname) => {
    const found = index.find(hostname.toLowerCase());
    return found === none ? undefined : found;
  };
}

const none = Number.POSITIVE_INFINITY;

interface Glob {
  readonly entry: number;
  readonly matches: (hostname: string) => boolean;
}

class PatternIndex {
  readonly #literals = new Map<string, number>();
  readonly #prefixes = new AffixIndex<number>();
  readonly #suffixes = new AffixIndex<number>();
  /** By their literal beginning. */
  readonly #globs = new AffixIndex<Glob[]>();
  readonly #all: Glob[];

  constructor(patterns: readonly (readonly string[])[]) {
    for (const [entry, own] of patterns.entries()) {
      for (const pattern of own) this.#add(pattern, entry);
    }
    this.#all = patterns.map((own, entry) => ({ entry, matches: patternMatcher(own) }));
  }

  find(hostname: string): number {
    if (!plainHost.test(hostname)) return firstOf(this.#all, hostname, none);
    const start = (length: number) => hostname.slice(0, length);
    const end = (length: number) => (length === 0 ? '' : hostname.slice(-length));
    let best = this.#literals.get(hostname) ?? none;
    for (const entry of this.#prefixes.find(start, hostname.length)) best = Math.min(best, entry);
    for (const entry of this.#suffixes.find(end, hostname.length)) best = Math.min(best, entry);
    for (const globs of this.#globs.find(start, hostname.length)) {
      best = firstOf(globs, hostname, best);
    }
    return best;
  }

  #add(pattern: string, entry: number): void {
    const star = pattern.indexOf('*');
    const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
    const one = star !== -1 && plainPart.test(before) && plainPart.test(after);
    if (plainPart.test(pattern)) {
      if (!this.#literals.has(pattern)) this.#literals.set(pattern, entry);
    } else if (one && after === '') {
      this.#prefixes.at(before, () => entry);
    } else if (one && before === '') {
      this.#suffixes.at(after, () => entry);
    } else {
      const globs = this.#globs.at(literalStart(pattern), () => []);
      globs.push({ entry, matches: patternMatcher([pattern]) });
    }
  }
}

/** What every match of the glob begins with. */
function literalStart(pattern: string): string {
  const start = /^[a-z0-9._-]*/.exec(pattern)![0];
  const next = pattern[start.length];
  if (next === '*' || next === '?' || next === '[') return start;
  // Anything else may be about the character before it.
  return start.slice(0, -1);
}

/** Values by the beginning or end of a name: one look-up per length that occurs. */
class AffixIndex<T> {
  readonly #byLength = new Map<number, Map<string, T>>();

  /** The value of the affix; the first one stays. */
  at(affix: string, make: () => T): T {
    const same = this.#byLength.get(affix.length) ?? new Map<string, T>();
    this.#byLength.set(affix.length, same);
    const known = same.get(affix);
    if (known !== undefined) return known;
    const made = make();
    same.set(affix, made);
    return made;
  }

  *find(cut: (length: number) => string, longest: number): Iterable<T> {
    for (const [length, affixes] of this.#byLength) {
      if (length > longest) continue;
      const found = affixes.get(cut(length));
      if (found !== undefined) yield found;
    }
  }
}

function firstOf(globs: readonly Glob[], hostname: string, best: number): number {
  for (const { entry, matches } of globs) {
    if (entry >= best) return best;
    if (matches(hostname)) return entry;
  }
  return best;
}
