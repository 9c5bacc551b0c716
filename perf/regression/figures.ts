/** What the guard keeps of one path through the server; every cost in signature verifications. */
export interface PathFigures {
  /** Time of the JavaScript threads of the server for one of it. */
  readonly cpu_to_verify: number;
  /** One standard error of it, as a share: the unit was seen in so few samples. */
  readonly error: number;
  /** By the kernel, all threads, with the profiler's own; microseconds. Not compared. */
  readonly process_cpu_us: number;
  readonly sql_statements: number;
  /** The same, by function: the dearest ones. */
  readonly functions: Readonly<Record<string, number>>;
}

export const pathNames = ['connect', 'check-in', 'report'] as const;
export type PathName = (typeof pathNames)[number];

/** What `node perf/regression.ts` measures and keeps. */
export interface RegressionFigures {
  readonly command: string;
  readonly date: string;
  readonly commit: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    /** Cores that other programs kept busy meanwhile. */
    readonly other_cores: number;
  };
  readonly verify_us: number;
  readonly sql_driver_loaded: boolean;
  readonly paths: Readonly<Record<PathName, PathFigures>>;
}

/** Something got worse. */
export interface Finding {
  /** "check-in: CPU" */
  readonly what: string;
  readonly before: number;
  readonly after: number;
  /** Functions that grew most, dearest first. */
  readonly where: readonly {
    readonly name: string;
    readonly before: number;
    readonly after: number;
  }[];
}

/** A function is named when it took so large a part of what its path grew by. */
const namedShare = 0.05;
const namedMax = 8;
/**
 * One function that grew by so many verifications, and by so large a share of its path, is found
 * although a busy machine has hidden it in the sum.
 */
const jump = { least: 1, share: 0.15 } as const;
/** Standard errors by which a change must exceed the tolerance. */
const errorsOfDoubt = 2;

/** `tolerance`: growth of so small a share is noise, 0 to 1. */
export function findRegressions(
  kept: RegressionFigures,
  fresh: RegressionFigures,
  tolerance: number,
): Finding[] {
  const findings: Finding[] = [];
  for (const path of pathNames) {
    const before = kept.paths[path];
    const after = fresh.paths[path];
    const where = grown(before, after);
    const doubt = errorsOfDoubt * (before.error + after.error);
    const limit = before.cpu_to_verify * (1 + tolerance + doubt);
    if (after.cpu_to_verify > limit || where.some((one) => hasJumped(one, before, doubt))) {
      const costs = { before: before.cpu_to_verify, after: after.cpu_to_verify };
      findings.push({ what: `${path}: CPU, in verifications`, ...costs, where });
    }
    if (after.sql_statements > before.sql_statements) {
      const counts = { before: before.sql_statements, after: after.sql_statements };
      const what = `${path}: SQL statements on the fleet threads`;
      findings.push({ what, ...counts, where: newSql(before, after) });
    }
  }
  if (fresh.sql_driver_loaded && !kept.sql_driver_loaded) {
    const what = 'a fleet thread has loaded an SQL driver';
    findings.push({ what, before: 0, after: 1, where: [] });
  }
  return findings;
}

function hasJumped(
  { name, ...cost }: Finding['where'][number],
  { cpu_to_verify }: PathFigures,
  doubt: number,
): boolean {
  // What V8 does beside the program's functions is no function.
  if (name.startsWith('(')) return false;
  const least = Math.max(jump.least, jump.share * cpu_to_verify) * (1 + doubt);
  return cost.after - cost.before > least;
}

function grown(before: PathFigures, after: PathFigures): Finding['where'] {
  const growth = Math.max(1e-9, after.cpu_to_verify - before.cpu_to_verify);
  return Object.entries(after.functions)
    .map(([name, cost]) => ({ name, before: before.functions[name] ?? 0, after: cost }))
    .filter((one) => one.after - one.before > growth * namedShare)
    .sort((a, b) => b.after - b.before - (a.after - a.before))
    .slice(0, namedMax);
}

/** Functions of an SQL driver, or named after one, that the path did not run before. */
function newSql(before: PathFigures, after: PathFigures): Finding['where'] {
  return Object.entries(after.functions)
    .filter(([name]) => /sql/i.test(name) && before.functions[name] === undefined)
    .map(([name, cost]) => ({ name, before: 0, after: cost }))
    .slice(0, namedMax);
}

export function describeFinding({ what, before, after, where }: Finding): string {
  const factor = before > 0 ? ` (${(after / before).toFixed(2)} x)` : '';
  const places = where.map(
    (place) => `  ${place.before.toFixed(3)} -> ${place.after.toFixed(3)}  ${place.name}`,
  );
  return [`worse: ${what}: ${round(before)} -> ${round(after)}${factor}`, ...places].join('\n');
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
