/** Buckets per doubling of the time; a reading is at most 19 % too high. */
const perDoubling = 4;
const leastUs = 16;
const bucketCount = 80;

/** How long answers took, in buckets that widen with the time. Adding costs a logarithm. */
export class LatencyHistogram {
  readonly #counts = new Array<number>(bucketCount).fill(0);

  add(milliseconds: number): void {
    const bucket = Math.floor(perDoubling * Math.log2((milliseconds * 1000) / leastUs)) + 1;
    const at = Math.min(Math.max(bucket, 0), bucketCount - 1);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Answers per bucket, since the start. */
  read(): number[] {
    return [...this.#counts];
  }
}

/**
 * The time that this share (0 to 1) of the answers did not exceed, microseconds; 0 when there were
 * none. `counts` as read, or a difference of two readings.
 */
export function latencyAt(counts: readonly number[], share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    below += count;
    if (below >= share * total) return Math.round(leastUs * 2 ** (bucket / perDoubling));
  }
  return 0;
}
