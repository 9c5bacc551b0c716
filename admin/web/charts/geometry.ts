/** Series of numbers as shapes in a box that is `boxWidth` wide and `boxHeight` high. */

export const boxWidth = 1000;
export const boxHeight = 100;

/** One time with a value for each series, in the order of the series. */
export interface Sample {
  readonly atMs: number;
  /** Undefined: nothing is known; the line has a gap there. */
  readonly values: readonly (number | undefined)[];
}

export interface Band {
  /** Closed path, from the lower bound to the upper one. */
  readonly path: string;
}

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** From the first to the last sample. */
export function rangeOf(samples: readonly Sample[]): TimeRange {
  return { fromMs: samples.at(0)?.atMs ?? 0, toMs: samples.at(-1)?.atMs ?? 0 };
}

/** Across the box; the middle of it when the range is a single time. */
export function xOf(atMs: number, { fromMs, toMs }: TimeRange): number {
  if (toMs <= fromMs) return boxWidth / 2;
  return rounded((boxWidth * (atMs - fromMs)) / (toMs - fromMs));
}

/** From the top: 0 is `top` or more. */
export function yOf(value: number, top: number): number {
  const share = top > 0 ? Math.min(1, Math.max(0, value / top)) : 0;
  return rounded(boxHeight * (1 - share));
}

/** Fewer digits make a smaller page; a tenth of a thousandth of the width is not seen. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The sums of all series at each time. */
export function totals(samples: readonly Sample[]): readonly number[] {
  return samples.map(({ values }) => values.reduce<number>((sum, each) => sum + known(each), 0));
}

const known = (value: number | undefined) => Math.max(0, value ?? 0);

/** One band for each series, each standing on those before; what is not known counts as 0. */
export function stackedBands(samples: readonly Sample[], series: number, top: number): Band[] {
  const range = rangeOf(samples);
  const bases = samples.map(() => 0);
  return Array.from({ length: series }, (_, at) => {
    const lower = samples.map(({ atMs }, index) => point(atMs, bases[index] ?? 0, range, top));
    samples.forEach(({ values }, index) => {
      bases[index] = (bases[index] ?? 0) + known(values[at]);
    });
    const upper = samples.map(({ atMs }, index) => point(atMs, bases[index] ?? 0, range, top));
    const [widerUpper, widerLower] = [widened(upper), widened(lower)];
    if (widerUpper.length === 0) return { path: '' };
    return { path: `M${widerUpper.join('L')}L${widerLower.reverse().join('L')}Z` };
  });
}

function point(atMs: number, value: number, range: TimeRange, top: number): string {
  return `${xOf(atMs, range)} ${yOf(value, top)}`;
}

/** A single sample is drawn across the whole box. */
function widened(points: readonly string[]): string[] {
  const [only] = points;
  if (only === undefined || points.length > 1) return [...points];
  const [, y = '0'] = only.split(' ');
  return [`0 ${y}`, `${boxWidth} ${y}`];
}

/** A line with gaps where nothing is known. */
export function linePath(samples: readonly Sample[], series: number, top: number): string {
  const range = rangeOf(samples);
  let path = '';
  let pen = 'M';
  for (const { atMs, values } of samples) {
    const value = values[series];
    if (value === undefined || !Number.isFinite(value)) {
      pen = 'M';
      continue;
    }
    path += `${pen}${point(atMs, value, range, top)}`;
    pen = 'L';
  }
  // A point alone is a line of no length, which round caps show as a dot.
  return path.replaceAll(/M([^ML]+)(?=M|$)/g, 'M$1L$1');
}

/** The largest value that is known, 0 without one. */
export function largest(samples: readonly Sample[]): number {
  return samples
    .flatMap(({ values }) => values)
    .reduce<number>((most, each) => Math.max(most, known(each)), 0);
}

export interface Segment {
  /** Of the whole width, percent. */
  readonly from: number;
  readonly width: number;
}

/**
 * Parts of a whole side by side. What is not nothing is at least `leastPercent` wide, so that one
 * failed machine of a hundred thousand can be seen; the others give way in proportion.
 */
export function segments(values: readonly number[], leastPercent = 1.2): Segment[] {
  const parts = values.map((value) => (Number.isFinite(value) ? Math.max(0, value) : 0));
  const whole = parts.reduce((sum, each) => sum + each, 0);
  if (whole === 0) return parts.map(() => ({ from: 0, width: 0 }));
  const least = Math.min(leastPercent, 100 / (2 * parts.length));
  const share = (value: number) => (100 * value) / whole;
  const small = parts.filter((value) => value > 0 && share(value) < least);
  const large = parts.filter((value) => share(value) >= least);
  const rest = 100 - small.length * least;
  const largeWhole = large.reduce((sum, each) => sum + each, 0);
  let from = 0;
  return parts.map((value) => {
    const isSmall = value > 0 && share(value) < least;
    const width = isSmall ? least : largeWhole === 0 ? 0 : (rest * value) / largeWhole;
    const segment = { from: percent(from), width: percent(width) };
    from += width;
    return segment;
  });
}

const percent = (value: number) => Math.round(value * 100) / 100;
