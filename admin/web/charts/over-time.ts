import { type Html, html } from '../html.ts';
import { type TimeChart, timeFrame } from './frame.ts';
import {
  boxHeight,
  boxWidth,
  largest,
  linePath,
  rangeOf,
  stackedBands,
  totals,
  yOf,
} from './geometry.ts';
import { valueTicks } from './scale.ts';

/** How a whole, counted in pieces, is made up over time: each series stands on those before it. */
export function stackedAreaChart(chart: TimeChart): Html {
  const axis = valueTicks(Math.max(0, ...totals(chart.samples)), 1);
  const bands = stackedBands(chart.samples, chart.series.length, axis.top);
  const shapes = chart.series.map(
    ({ tone }, at) => html`<path class="chart-band tone-${tone}" d="${bands[at]?.path ?? ''}"/>`,
  );
  return timeFrame(chart, axis, shapes);
}

/** Values that do not add up, such as latencies. */
export function lineChart(chart: TimeChart): Html {
  const axis = valueTicks(largest(chart.samples));
  const shapes = chart.series.map(
    ({ tone }, at) =>
      html`<path class="chart-line tone-${tone}" d="${linePath(chart.samples, at, axis.top)}"/>`,
  );
  return timeFrame(chart, axis, shapes);
}

/** Share of the room of a column that it fills. */
const columnShare = 0.82;

/** Counts in times of equal length; with several series the columns are stacked. */
export function columnChart(chart: TimeChart): Html {
  const { samples, series } = chart;
  const axis = valueTicks(Math.max(0, ...totals(samples)), 1);
  const room = boxWidth / Math.max(1, samples.length);
  const shapes = samples.flatMap(({ values }, column) => {
    const x = ((column + (1 - columnShare) / 2) * room).toFixed(1);
    let base = 0;
    return series.flatMap(({ tone }, at) => {
      const value = Math.max(0, values[at] ?? 0);
      if (value === 0) return [];
      const [bottom, top] = [yOf(base, axis.top), yOf(base + value, axis.top)];
      base += value;
      return [
        html`<rect class="chart-column tone-${tone}" x="${x}" y="${top}" width="${(room * columnShare).toFixed(1)}"
          height="${(bottom - top).toFixed(1)}"/>`,
      ];
    });
  });
  return timeFrame(chart, axis, shapes);
}

/** A small line in a row of text or of a table; what it says stands in `label`. */
export function sparkline(
  label: string,
  samples: TimeChart['samples'],
  tone: TimeChart['series'][number]['tone'] = 'one',
): Html {
  const { top } = valueTicks(largest(samples));
  const [band] = stackedBands(samples, 1, top);
  const isKnown = samples.some(({ values }) => values[0] !== undefined);
  if (!isKnown || rangeOf(samples).toMs === 0) return html`<span class="sparkline-none">-</span>`;
  return html`<svg class="sparkline tone-${tone}" role="img" aria-label="${label}" preserveAspectRatio="none"
    viewBox="0 -4 ${boxWidth} ${boxHeight + 8}"><path class="sparkline-area" d="${band?.path ?? ''}"/><path
    class="chart-line" d="${linePath(samples, 0, top)}"/></svg>`;
}
