/** Where the ticks of an axis stand. Pure: what is drawn of them is another file's. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Distances of ticks that people read without counting. */
const timeSteps: readonly number[] = [
  minuteMs,
  5 * minuteMs,
  15 * minuteMs,
  30 * minuteMs,
  hourMs,
  2 * hourMs,
  3 * hourMs,
  6 * hourMs,
  12 * hourMs,
  dayMs,
  2 * dayMs,
  7 * dayMs,
  14 * dayMs,
  28 * dayMs,
];

/** Of an axis of values; the one that wastes least room wins, the first of equals. */
const tickCounts = [4, 5, 3, 6];
const roundSteps = [1, 2, 2.5, 5, 10];

/** What is smaller is nothing: axes of ours count machines, seconds, milliseconds. */
const smallest = 1e-9;

/** The next number of 1, 2, 2.5, 5 times a power of ten that is not smaller; 1 for 0 and less. */
export function roundUp(value: number): number {
  if (!(value > smallest) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = roundSteps.find((each) => each * power >= value * (1 - 1e-9));
  return (step ?? 10) * power;
}

export interface Axis {
  readonly top: number;
  readonly ticks: readonly number[];
}

/** The top of an axis that holds `most`, and its ticks from 0 up, at least `leastStep` apart. */
export function valueTicks(most: number, leastStep = 0): Axis {
  const axes = tickCounts.map((count) => {
    const step = Math.max(leastStep, roundUp(most / count));
    return { step, steps: Math.max(1, Math.ceil(most / step - 1e-9)) };
  });
  const { step, steps } = axes.reduce((best, each) =>
    each.step * each.steps < best.step * best.steps * (1 - 1e-9) ? each : best,
  );
  const ticks = Array.from({ length: steps + 1 }, (_, at) => cleaned(at * step));
  return { top: ticks.at(-1) ?? 1, ticks };
}

/** Without the dust of binary fractions: 0.30000000000000004 is 0.3. */
function cleaned(value: number): number {
  return Number(value.toPrecision(12));
}

export interface TimeTick {
  readonly atMs: number;
  readonly label: string;
}

/** Ticks in UTC between two times, at most `count`. */
export function timeTicks(fromMs: number, toMs: number, count = 5): readonly TimeTick[] {
  const span = toMs - fromMs;
  if (!(span > 0)) return [];
  const longest = timeSteps.at(-1) ?? dayMs;
  const step =
    timeSteps.find((each) => span / each <= count) ?? Math.ceil(span / count / longest) * longest;
  const first = Math.ceil(fromMs / step) * step;
  const ticks: TimeTick[] = [];
  for (let atMs = first; atMs <= toMs && ticks.length < count; atMs += step)
    ticks.push({ atMs, label: timeLabel(atMs, step) });
  return ticks;
}

/** "14:30", and "22 Nov" where days are what is told apart or a day begins. */
function timeLabel(atMs: number, stepMs: number): string {
  const [, month = '', day = ''] = isoParts(atMs);
  const isDay = stepMs >= dayMs || atMs % dayMs === 0;
  return isDay ? `${Number(day)} ${monthNames[Number(month) - 1] ?? month}` : clock(atMs);
}

const monthNames = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function isoParts(atMs: number): readonly string[] {
  return new Date(atMs).toISOString().slice(0, 10).split('-');
}

function clock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 16);
}

/** "2026-11-22 14:30 UTC": for tables and descriptions. */
export function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Made once: making one costs more than drawing a chart. By the digits behind the point. */
const formats = {
  0: new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 }),
  1: new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 }),
  3: new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 }),
} as const;

/** A number as people read it: 1,234, 12.5k from ten thousand on where `short`. */
export function numberText(value: number, short = false): string {
  if (!Number.isFinite(value)) return '-';
  if (short && Math.abs(value) >= 1e6) return `${cleaned(Math.round(value / 1e5) / 10)}M`;
  if (short && Math.abs(value) >= 1e4) return `${cleaned(Math.round(value / 100) / 10)}k`;
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 3;
  return formats[digits].format(value);
}

/** "42 %", "< 1 %" for a little, "> 99 %" for not quite all; "-" of nothing. */
export function shareText(part: number, whole: number): string {
  if (!(whole > 0)) return '-';
  const share = (100 * part) / whole;
  if (share > 0 && share < 1) return '< 1 %';
  if (share > 99 && share < 100) return '> 99 %';
  return `${Math.round(share)} %`;
}
