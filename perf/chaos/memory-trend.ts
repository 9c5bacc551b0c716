/** Resident memory of an agent at a moment. */
export interface MemorySample {
  readonly atMs: number;
  readonly pid: number;
  readonly rssKb: number;
}

export interface MemoryTrend {
  readonly minutes: number;
  readonly meanKb: number;
  readonly maxKb: number;
  /** Of a line fitted through the samples. */
  readonly growthKbPerHour: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const least = 10;

/** Of the agent process that lived longest, without its first part, in which it warms up. */
export function memoryTrend(
  samples: readonly MemorySample[],
  warmUpShare = 0.2,
): MemoryTrend | undefined {
  const byPid = new Map<number, MemorySample[]>();
  for (const sample of samples) byPid.set(sample.pid, [...(byPid.get(sample.pid) ?? []), sample]);
  const longest = [...byPid.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  const steady = longest.slice(Math.floor(longest.length * warmUpShare));
  if (steady.length < least) return undefined;
  const sizes = steady.map(({ rssKb }) => rssKb);
  const times = steady.map(({ atMs }) => atMs);
  const meanKb = mean(sizes);
  const meanMs = mean(times);
  const covariance = mean(steady.map(({ atMs, rssKb }) => (atMs - meanMs) * (rssKb - meanKb)));
  const variance = mean(times.map((atMs) => (atMs - meanMs) ** 2));
  return {
    minutes: Math.round((times.at(-1)! - times[0]!) / minuteMs),
    meanKb: Math.round(meanKb),
    maxKb: Math.max(...sizes),
    growthKbPerHour: Math.round((covariance / variance) * hourMs),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
