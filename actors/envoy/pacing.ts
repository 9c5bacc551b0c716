/**
 * When an envoy is due next. Each envoy has a phase in the interval, drawn from its UUID, so that
 * a fleet spreads evenly whenever it was started. The answer is the due time of that phase that
 * lies nearest to one interval from now: between 0.5 and 1.5 intervals. The first answer moves
 * the envoy to its phase, every later one differs from the interval only by its own delay.
 */
export function nextCheckInMs(envoyId: string, nowMs: number, intervalMs: number): number {
  const phase = Math.floor((hash(envoyId) / 2 ** 32) * intervalMs);
  const target = nowMs + intervalMs;
  const late = (((target - phase) % intervalMs) + intervalMs) % intervalMs;
  const shift = late <= intervalMs / 2 ? -late : intervalMs - late;
  return Math.max(1, Math.round(intervalMs + shift));
}

/** FNV-1a, 32 bit, with a final mix; cheap, and even over UUIDs. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
