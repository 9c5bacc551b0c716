const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const durationForm = /^(?:\d{1,12}(?:ms|s|m|h|d))+$/;
const durationPart = /(\d+)(ms|s|m|h|d)/g;

/** Longest duration that is accepted: about 100 years, far below 2^53 ms. */
const durationLimitMs = 36_500 * units.d;

export const durationExamples = 'a duration such as 500ms, 15s, 5m, 1h30m or 7d';

/** Milliseconds of "15s", "5m", "1h30m", "0"; undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!durationForm.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(durationPart)) {
    total += Number(amount) * units[unit as keyof typeof units];
  }
  return total <= durationLimitMs ? total : undefined;
}

/** The shortest text that parseDuration reads back as the same number. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  let rest = milliseconds;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const amount = Math.floor(rest / units[unit]);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * units[unit];
  }
  return text;
}
