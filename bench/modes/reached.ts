import type { Reached } from './mode-report.ts';

/**
 * `timesMs`: when each envoy got there, 0 = not yet; all on the clock of `fromMs`. `of`: how many are
 * to get there.
 */
export function reached(timesMs: Float64Array, fromMs: number, of = timesMs.length): Reached {
  const there = timesMs.filter((timeMs) => timeMs > 0).sort();
  const at = (share: number): number | undefined => {
    const count = Math.ceil(of * share);
    const timeMs = count === 0 ? undefined : there[count - 1];
    return timeMs === undefined ? undefined : Math.max(0, Math.round(timeMs - fromMs) / 1000);
  };
  const figures = { p50_s: at(0.5), p90_s: at(0.9), p99_s: at(0.99), all_s: at(1) };
  const known = Object.entries(figures).filter(([, seconds]) => seconds !== undefined);
  return { ...Object.fromEntries(known), envoys: there.length, of };
}
