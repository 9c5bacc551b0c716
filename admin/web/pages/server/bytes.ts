const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** "730 MB", "1.5 GB": powers of 1024, as the limits are set. */
export function bytes(value: number): string {
  let [left, unit] = [Math.max(0, value), 0];
  while (left >= 1024 && unit < units.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${left >= 100 || unit === 0 ? Math.round(left) : Math.round(left * 10) / 10} ${units[unit]}`;
}
