/** Two runs' JSON, figure by figure. Pure. */
export interface Difference {
  /** "server.cpu_to_verify_ratio" */
  readonly name: string;
  readonly a: number;
  readonly b: number;
  /** b / a; Infinity when a is 0. */
  readonly factor: number;
  readonly verdict: 'better' | 'worse' | 'same';
}

/** Figures of which less is better, and those of which more is; others are shown without verdict. */
const less =
  /(_us|_ms|_s|p50|p90|p99|max|_kb|missed|ratio|_cores|per_checkin|false_offline|retries|failed|statements_on_path|rss_kb_per_\w+|error_percent)$/;
const more = /(headroom|carries_envoys|checkins\.per_second)$/;
/** What a run was asked to do, or cannot help. */
const given =
  /^(options|machine|samples|ramp|reconnects|errors|signed_ahead|other_cores|generator|plan\.points)\b|_before$|verify_us$/;

/** `tolerance`: changes of so small a share are noise, 0 to 1. */
export function compareReports(a: unknown, b: unknown, tolerance: number): Difference[] {
  const left = figuresOf(a);
  const right = figuresOf(b);
  return [...left].flatMap(([name, before]) => {
    const after = right.get(name);
    if (after === undefined || given.test(name)) return [];
    const isLess = less.test(name);
    if (!isLess && !more.test(name)) return [];
    const factor = before === 0 ? (after === 0 ? 1 : Number.POSITIVE_INFINITY) : after / before;
    return [{ name, a: before, b: after, factor, verdict: verdictOf(factor, isLess, tolerance) }];
  });
}

function verdictOf(factor: number, isLess: boolean, tolerance: number): Difference['verdict'] {
  if (factor <= 1 + tolerance && factor >= 1 / (1 + tolerance)) return 'same';
  return factor > 1 === isLess ? 'worse' : 'better';
}

/** Every number by its path. */
export function figuresOf(value: unknown, path = ''): Map<string, number> {
  const found = new Map<string, number>();
  if (typeof value === 'number' && Number.isFinite(value)) found.set(path, value);
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    const below = figuresOf(inner, path === '' ? key : `${path}.${key}`);
    for (const [name, figure] of below) found.set(name, figure);
  }
  return found;
}

/** Options and machine that differ: then the figures do not compare. */
export function unlikeSettings(a: unknown, b: unknown): string[] {
  const settings = (report: unknown) => {
    const { mode, options, machine } = report as Record<string, unknown>;
    return flat({ mode, options, machine });
  };
  const left = settings(a);
  const right = settings(b);
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((name) => left.get(name) !== right.get(name))
    .map((name) => `${name}: ${left.get(name) ?? 'none'} and ${right.get(name) ?? 'none'}`);
}

function flat(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null) {
    return new Map(value === undefined ? [] : [[path, String(value)]]);
  }
  const entries = Object.entries(value);
  return new Map(
    entries.flatMap(([key, inner]) => [...flat(inner, path === '' ? key : `${path}.${key}`)]),
  );
}
