/** Cuts an absolute path into lower-case segments with `.`, `..` and empty ones resolved. */
export function segmentsOf(path: string): string[] {
  const segments: string[] = [];
  for (const segment of path.toLowerCase().split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') segments.pop();
    else segments.push(segment);
  }
  return segments;
}

/** The protected path that `segments` is, may be (globs), or lies below. */
export function isProtected(
  segments: readonly string[],
  protectedPaths: readonly string[],
): string | undefined {
  return cutLists(protectedPaths).find(({ wanted }) => {
    for (const [index, segment] of wanted.entries()) {
      const own = segments[index];
      if (own === undefined) return false;
      if (own.includes('**')) return true;
      if (!segmentMatches(own, segment)) return false;
    }
    return true;
  })?.path;
}

/** The protected path that lies below `segments`, so that removing the tree would take it along. */
export function coversProtected(
  segments: readonly string[],
  protectedPaths: readonly string[],
): string | undefined {
  return cutLists(protectedPaths).find(({ wanted }) => {
    if (segments.length >= wanted.length) return false;
    return segments.every((own, index) => segmentMatches(own, wanted[index]!));
  })?.path;
}

interface CutPath {
  readonly path: string;
  readonly wanted: readonly string[];
}

/** Lists of protected paths live as long as the agent and are asked about every path of every pass. */
const cut = new WeakMap<readonly string[], readonly CutPath[]>();

function cutLists(protectedPaths: readonly string[]): readonly CutPath[] {
  const known = cut.get(protectedPaths);
  if (known !== undefined) return known;
  const made = protectedPaths.map((path) => ({ path, wanted: segmentsOf(path) }));
  cut.set(protectedPaths, made);
  return made;
}

/** Braces and brackets are taken to match anything: refusing too much is the safe mistake. */
function segmentMatches(own: string, wanted: string): boolean {
  if (own === wanted) return true;
  return /[*?[{]/.test(own) && wildcardMatch(own.replace(/[[{].*[\]}]/, '*'), wanted);
}

/** Glob with * and ?, in time proportional to the product of the lengths. */
export function wildcardMatch(pattern: string, text: string): boolean {
  let at = 0;
  let inText = 0;
  let star = -1;
  let resume = 0;
  while (inText < text.length) {
    if (pattern[at] === '*') {
      star = at;
      resume = inText;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[inText])) {
      at += 1;
      inText += 1;
    } else if (star !== -1) {
      at = star + 1;
      resume += 1;
      inText = resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
