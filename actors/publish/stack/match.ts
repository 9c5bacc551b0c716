import picomatch from 'picomatch';
import type { EntryDeclaration } from './model.ts';

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
 * Literal names, "web-*" and "*.example.com" are looked up, however many there are; only other globs
 * are tried one by one, and only those before the best entry found so far.
 */
export function entryMatcher(entries: readonly EntryDeclaration[]): EntryMatcher {
  const patterns = entries.map(({ match }) => match.map(({ name }) => name.toLowerCase()));
  const index = new PatternIndex(patterns);
  return (hostname) => {
    const found = index.find(hostname.toLowerCase());
    return found === Number.POSITIVE_INFINITY ? undefined : found;
  };
}

class PatternIndex {
  readonly #literals = new Map<string, number>();
  readonly #prefixes = new AffixIndex();
  readonly #suffixes = new AffixIndex();
  /** Entries that have a pattern of another kind, in order. */
  readonly #globs: { entry: number; matches: (hostname: string) => boolean }[] = [];
  readonly #all: { entry: number; matches: (hostname: string) => boolean }[];

  constructor(patterns: readonly (readonly string[])[]) {
    for (const [entry, own] of patterns.entries()) {
      const others = own.filter((pattern) => !this.#add(pattern, entry));
      if (others.length > 0) this.#globs.push({ entry, matches: patternMatcher(others) });
    }
    this.#all = patterns.map((own, entry) => ({ entry, matches: patternMatcher(own) }));
  }

  find(hostname: string): number {
    if (!plainHost.test(hostname)) return firstOf(this.#all, hostname, Number.POSITIVE_INFINITY);
    const indexed = Math.min(
      this.#literals.get(hostname) ?? Number.POSITIVE_INFINITY,
      this.#prefixes.find((length) => hostname.slice(0, length), hostname.length),
      this.#suffixes.find((length) => hostname.slice(-length), hostname.length),
    );
    return firstOf(this.#globs, hostname, indexed);
  }

  /** False for a pattern that no index can hold. */
  #add(pattern: string, entry: number): boolean {
    if (plainPart.test(pattern)) {
      if (!this.#literals.has(pattern)) this.#literals.set(pattern, entry);
      return true;
    }
    const star = pattern.indexOf('*');
    if (star === -1 || pattern.lastIndexOf('*') !== star) return false;
    const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
    if (!plainPart.test(before) || !plainPart.test(after)) return false;
    if (before !== '' && after !== '') return false;
    if (before === '' && after !== '') this.#suffixes.add(after, entry);
    else this.#prefixes.add(before, entry);
    return true;
  }
}

/** First entry by the beginning or end of a name: one look-up per length that occurs. */
class AffixIndex {
  readonly #byLength = new Map<number, Map<string, number>>();

  add(affix: string, entry: number): void {
    const same = this.#byLength.get(affix.length) ?? new Map<string, number>();
    if (!same.has(affix)) same.set(affix, entry);
    this.#byLength.set(affix.length, same);
  }

  find(cut: (length: number) => string, longest: number): number {
    let best = Number.POSITIVE_INFINITY;
    for (const [length, affixes] of this.#byLength) {
      if (length > longest) continue;
      const entry = affixes.get(length === 0 ? '' : cut(length));
      if (entry !== undefined && entry < best) best = entry;
    }
    return best;
  }
}

function firstOf(
  globs: readonly { entry: number; matches: (hostname: string) => boolean }[],
  hostname: string,
  best: number,
): number {
  for (const { entry, matches } of globs) {
    if (entry >= best) return best;
    if (matches(hostname)) return entry;
  }
  return best;
}
