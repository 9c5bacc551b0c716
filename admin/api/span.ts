const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** How long there is left: "1 hour", "13 days"; never nothing. */
export function span(ms: number): string {
  const [size, unit] = ms < dayMs ? [hourMs, 'hour'] : [dayMs, 'day'];
  const whole = Math.max(1, Math.floor(ms / size));
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`;
}
