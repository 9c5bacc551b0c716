import type { ChaosResult } from './chaos-run.ts';

/** Of all hosts together. */
export interface ChaosSummary {
  readonly drifts: number;
  readonly troubles: Readonly<Record<string, number>>;
  readonly repairSeconds: Readonly<Record<'p50' | 'p90' | 'p99' | 'max', number>>;
  readonly late: readonly string[];
  readonly unrepaired: readonly string[];
  readonly falseChanges: readonly string[];
  readonly untold: readonly string[];
  readonly untoldInterrupted: number;
  readonly runs: number;
  readonly sequenceGaps: readonly string[];
  readonly incidents: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
  readonly broken: readonly string[];
  readonly pending: number;
  readonly memory: ChaosResult['memory'];
}

/** More than this share of its memory in an hour is growth. */
const growthShare = 0.1;
/** A line through fewer minutes says nothing about an hour. */
const trendMinutes = 15;

export function summarizeChaos(result: ChaosResult): ChaosSummary {
  const verdicts = Object.values(result.hosts);
  const all = (pick: (one: (typeof verdicts)[number]) => readonly string[]) =>
    verdicts.flatMap(pick);
  const sum = (pick: (one: (typeof verdicts)[number]) => number) =>
    verdicts.reduce((total, one) => total + pick(one), 0);
  const counts = (pick: (one: (typeof verdicts)[number]) => Readonly<Record<string, number>>) =>
    addUp(verdicts.map(pick));
  const times = verdicts.flatMap(({ repairMs }) => repairMs).sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round((times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0) / 100) /
    10;
  return {
    drifts: sum(({ drifts }) => drifts),
    troubles: counts(({ troubles }) => troubles),
    repairSeconds: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) },
    late: all(({ late }) => late),
    unrepaired: all(({ unrepaired }) => unrepaired),
    falseChanges: all(({ falseChanges }) => falseChanges),
    untold: all(({ untold }) => untold),
    untoldInterrupted: sum(({ untoldInterrupted }) => untoldInterrupted),
    runs: sum(({ runs }) => runs),
    sequenceGaps: all(({ sequenceGaps }) => sequenceGaps),
    incidents: counts(({ incidents }) => incidents),
    failures: counts(({ failures }) => failures),
    broken: result.broken,
    pending: result.pending,
    memory: result.memory,
  };
}

/** What is not as promised; empty when all is well. */
export function complaints(summary: ChaosSummary): readonly string[] {
  const { late, unrepaired, falseChanges, untold, sequenceGaps, broken, pending } = summary;
  const lists = {
    late,
    unrepaired,
    'false change': falseChanges,
    untold,
    gap: sequenceGaps,
    broken,
  };
  const growing = Object.entries(summary.memory).filter(
    ([, { minutes, meanKb, growthKbPerHour }]) =>
      minutes >= trendMinutes && growthKbPerHour > meanKb * growthShare,
  );
  return [
    ...Object.entries(lists).flatMap(([what, list]) => list.map((one) => `${what}: ${one}`)),
    ...(pending === 0 ? [] : [`${pending} results were not told`]),
    ...growing.map(([host, { growthKbPerHour }]) => `${host}: grows ${growthKbPerHour} KB an hour`),
  ];
}

function addUp(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
  return total;
}
